/** What the urls lead to, as one store: a server, a cluster, or the first of several. The subscription goes with it. */
import type { Redis } from 'ioredis'
import { type Server, shown, type ThreadStart } from '../options.ts'
import { ClusterStore } from './cluster/cluster-store.ts'
import { reachCluster } from './cluster/reach-cluster.ts'
import { hangUp, makeClient, reach } from './connections.ts'
import type { Mask } from './failure.ts'
import { preflight, type ServerFacts } from './preflight.ts'
import { sessionKeys } from './program-session.ts'
import { asFirst, dependent, reachMasters } from './redlock/reach-masters.ts'
import { Scripts } from './script.ts'
import { commandSettings, masterSettings, type Settings, subscriberSettings } from './settings.ts'
import { Subscription } from './wakes.ts'

export interface StoreStart extends Pick<ThreadStart, 'servers' | 'quorum'> {
  readonly namespace: string
  readonly mask: Mask
  /** Told of each client that is made, so that it can be hung up. */
  readonly made: (client: Redis) => void
}

export interface ReachedStore {
  readonly store: Scripts | ClusterStore
  /** Connected, and subscribed to nothing yet. */
  readonly wakes: Subscription
  /** See `ServerFacts`. */
  readonly keeps: boolean
}

/** @throws ConnectionError and its kinds, StateError, NotSupportedError: one sentence each, no secrets */
export async function reachStore({ servers, quorum, namespace, mask, made }: StoreStart): Promise<ReachedStore> {
  const [first] = servers
  const name = `skein:${namespace}`
  const make = (how: Settings): Redis => {
    const one = makeClient(how)
    made(one)
    return one
  }
  const subscriberOf = (server: Server): Redis => make(subscriberSettings(server, `${name}:wakes`))
  const client = make(commandSettings(first, name))
  const masters = quorum ? servers.map((server) => make(masterSettings(server, `${name}:locks`))) : []
  const open = async ({ flags, cluster, keeps }: ServerFacts): Promise<ReachedStore> => {
    if (cluster && quorum) throw dependent(first)
    const home = sessionKeys(namespace).live
    const store = cluster
      ? await reachCluster({ client, server: first, mask, name, home, flags, made })
      : new Scripts({ client, masters, where: shown(first), mask, flags })
    try {
      if (cluster) hangUp(client)
      const server = store instanceof ClusterStore ? store.home : first
      const subscriber = subscriberOf(server)
      await reach(subscriber, server, mask)
      const wakes = new Subscription(subscriber, namespace)
      if (store instanceof ClusterStore) store.onHomeMoved(() => wakes.move(subscriberOf(store.home)))
      return { store, wakes, keeps }
    } catch (error) {
      store.close()
      throw error
    }
  }
  let reached: ReachedStore
  try {
    await reach(client, first, mask)
    reached = await open(await preflight(client, first, mask))
  } catch (error) {
    throw asFirst(error, servers)
  }
  await reachMasters(masters, servers, mask).catch((error: unknown) => {
    reached.store.close()
    throw error
  })
  return reached
}
