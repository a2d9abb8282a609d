/** A cluster at the start: one of its nodes tells who has what, and all masters must be there and fit to serve. */
import { ConnectionError } from '@skein/core'
import type { Redis } from 'ioredis'
import { type Server, shown } from '../../options.ts'
import { makeClient, reach } from '../connections.ts'
import { failureOf, type Mask } from '../failure.ts'
import { preflight } from '../preflight.ts'
import { commandSettings } from '../settings.ts'
import { ClusterStore, nameOf } from './cluster-store.ts'
import { Master } from './master.ts'
import { type Address, readSlots } from './slots.ts'

export interface ClusterSeed {
  /** Connected to a node. */
  readonly client: Redis
  readonly server: Server
  readonly mask: Mask
  /** Of the connections. */
  readonly name: string
  /** A key of what the session's scripts change. */
  readonly home: string
  /** Scripts may say by flags what they need. */
  readonly flags: boolean
  /** Told of each client that is made, so that it can be hung up. */
  readonly made: (client: Redis) => void
}

/** @throws ConnectionError if the cluster is not whole, or a master is away; what else is wrong with one of them */
export async function reachCluster(seed: ClusterSeed): Promise<ClusterStore> {
  const { client: node, server: asked, mask, name, home, flags, made } = seed
  const where = shown(asked)
  const slots = await readSlots(node, asked).catch((error: unknown) => {
    throw failureOf(error, where, mask)
  })
  const missing = slots.indexOf(undefined)
  if (missing >= 0) {
    const told = `the cluster of Redis at ${where} has no master for slot ${missing}; CLUSTER INFO there tells more`
    throw new ConnectionError(told, { retryable: true })
  }
  // What else the url says is true of all of them.
  const make = (address: Address): Master => {
    const server = { ...asked, ...address }
    const client = makeClient(commandSettings(server, name))
    made(client)
    return new Master({ client, server, mask, flags })
  }
  const addresses = new Map(slots.flatMap((address) => (address === undefined ? [] : [[nameOf(address), address]])))
  const masters = [...addresses.values()].map(make)
  await Promise.all(
    masters.map(async (master) => {
      const { client, server } = master
      await reach(client, server, mask)
      await preflight(client, server, mask)
      await master.meet()
    }),
  )
  const later = (address: Address): Master => {
    const master = make(address)
    // It opens as after a lost connection: when the session has told which one it is.
    master.scripts.closeGate()
    master.client.connect().catch(() => {
      // It goes on trying until it is hung up.
    })
    return master
  }
  return new ClusterStore({ masters, slots, make: later, home, where, mask })
}
