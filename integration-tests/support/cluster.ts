/** Three masters that have the keys together, all real. */
import type { RedisControls, RedisOptions } from './redis.ts'
import { freePort, startProcess } from './redis-process.ts'
import { ask, type Reply } from './resp.ts'
import { tlsFlags } from './tls.ts'

const MASTERS = 3
const SLOTS = 16_384

/** Milliseconds of silence after which the others count one as down. */
const NODE_TIMEOUT = 1_000

export interface Cluster extends RedisControls {
  readonly nodes: readonly RedisControls[]
  /** The node that has that key. */
  nodeOf(key: string): Promise<RedisControls>
  /** As one server would answer: all nodes together where a command names no key, else the one that has it. */
  ask(...command: readonly (string | number)[]): Promise<Reply>
  /** Resolves when all that run know each other, and say that all is well. */
  whole(): Promise<void>
  /** A further node that copies that one, and takes its place when it dies. */
  replicaOf(node: RedisControls): Promise<RedisControls>
  /** Gives the slot of a key to another node, with all keys in it; `half` is done while they are under way. */
  move(key: string, to: RedisControls, half?: () => Promise<void>): Promise<void>
}

export interface ClusterOptions extends RedisOptions {
  /** All nodes speak TLS, also with each other, with the certificate `server` of that folder; their urls are for TLS then. */
  readonly certificates?: string
}

type Command = readonly (string | number)[]

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Started {
  readonly node: RedisControls
  readonly url: string
  /** For the other nodes. */
  readonly port: number
  readonly bus: number
}

async function startNode({ certificates, ...options }: ClusterOptions): Promise<Started> {
  const [bus, tls] = [await freePort(), await freePort()]
  const secured =
    certificates === undefined ? [] : [...tlsFlags(certificates, 'server', tls, 'no'), '--tls-cluster', 'yes']
  const flags = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--cluster-port', String(bus), '--cluster-node-timeout', String(NODE_TIMEOUT), '--cluster-require-full-coverage', 'no', ...secured] // prettier-ignore
  const node = await startProcess({ ...options, own: true, args: [...flags, ...(options.args ?? [])] })
  if (typeof node === 'string') throw new Error(node)
  if (certificates !== undefined) return { node, url: `rediss://127.0.0.1:${tls}`, port: tls, bus }
  return { node, url: node.url, port: Number(new URL(node.url).port), bus }
}

async function isWhole({ admin }: RedisControls, size: number): Promise<boolean> {
  try {
    const info = String(await ask(admin, 'CLUSTER', 'INFO'))
    return /cluster_state:ok/.test(info) && info.includes(`cluster_known_nodes:${size}`)
  } catch {
    // It has just started, or has not.
    return false
  }
}

/** Of nodes that were asked the same: as if one had answered. */
function together(name: string, replies: readonly Reply[]): Reply {
  if (name === 'KEYS') return replies.flatMap((reply) => reply as Reply[])
  if (name === 'DBSIZE') return replies.reduce<number>((sum, reply) => sum + Number(reply), 0)
  if (name === 'SCAN') return ['0', replies.flatMap((reply) => (reply as [string, Reply[]])[1])]
  return typeof replies[0] === 'string' && name === 'CLIENT' ? replies.join('\n') : (replies[0] ?? null)
}

const KEYLESS = ['KEYS', 'SCAN', 'CLIENT', 'INFO', 'CONFIG', 'FLUSHALL', 'ACL', 'SCRIPT', 'PING', 'DEBUG', 'DBSIZE', 'SAVE', 'TIME'] // prettier-ignore
/** All their words are keys, of several masters also. */
const MANY = ['DEL', 'UNLINK', 'EXISTS']

async function scanAll(url: string, [, , ...words]: Command): Promise<Reply> {
  const keys: Reply[] = []
  let cursor = '0'
  do {
    const [next, page] = (await ask(url, 'SCAN', cursor, ...words)) as [string, Reply[]]
    keys.push(...page)
    cursor = next
  } while (cursor !== '0')
  return ['0', keys]
}

/** How many hear it says each node for itself. */
async function publish(nodes: readonly RedisControls[], command: Command): Promise<number> {
  const [, channel = ''] = command
  const heard = await Promise.all(nodes.map(({ admin }) => ask(admin, 'PUBSUB', 'NUMSUB', channel)))
  await ask(nodes[0]?.admin ?? '', ...command)
  return heard.reduce<number>((sum, reply) => sum + Number((reply as Reply[])[1]), 0)
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const started = await Promise.all(Array.from({ length: MASTERS }, () => startNode(options)))
  const nodes = started.map(({ node }) => node)
  const [first] = nodes
  if (first === undefined) throw new Error('a cluster has nodes')
  const share = Math.ceil(SLOTS / MASTERS)
  for (const [index, { admin }] of nodes.entries()) {
    await ask(admin, 'CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
    await ask(admin, 'CLUSTER', 'ADDSLOTSRANGE', index * share, Math.min(SLOTS, (index + 1) * share) - 1)
  }
  for (const { port, bus } of started.slice(1)) await ask(first.admin, 'CLUSTER', 'MEET', '127.0.0.1', port, bus)
  const replicas: RedisControls[] = []
  const all = (): readonly RedisControls[] => [...nodes, ...replicas]
  const whole = async (): Promise<void> => {
    const size = all().length
    while (!(await Promise.all(all().map((node) => isWhole(node, size)))).every(Boolean)) await pause(20)
  }
  await whole()
  const idOf = async ({ admin }: RedisControls): Promise<string> => String(await ask(admin, 'CLUSTER', 'MYID'))
  const nodeOf = async (key: string): Promise<RedisControls> => {
    let why: unknown = null
    for (const { admin } of nodes) {
      try {
        const slot = await ask(admin, 'CLUSTER', 'KEYSLOT', key)
        return nodes[Math.floor(Number(slot) / share)] as RedisControls
      } catch (error) {
        why = error
      }
    }
    throw new Error(`no node of the cluster answers: ${String(why)}`, { cause: why })
  }
  const each = async (done: (node: RedisControls) => Promise<unknown>): Promise<void> => {
    await Promise.all(all().map(done))
  }
  return {
    url: started[0]?.url ?? '',
    admin: first.admin,
    pid: first.pid,
    nodes,
    nodeOf,
    whole,
    replicaOf: async (node) => {
      const { node: replica } = await startNode({ args: ['--cluster-replica-validity-factor', '0'] })
      await ask(
        replica.admin,
        'CLUSTER',
        'MEET',
        '127.0.0.1',
        new URL(node.admin).port,
        started[nodes.indexOf(node)]?.bus ?? 0,
      )
      replicas.push(replica)
      await whole()
      await ask(replica.admin, 'CLUSTER', 'REPLICATE', await idOf(node))
      const linked = async (): Promise<boolean> =>
        /master_link_status:up/.test(String(await ask(replica.admin, 'INFO', 'replication')))
      while (!(await linked())) await pause(20)
      return replica
    },
    move: async (key, to, half = async () => undefined) => {
      const from = await nodeOf(key)
      const slot = Number(await ask(from.admin, 'CLUSTER', 'KEYSLOT', key))
      const [source, target] = [await idOf(from), await idOf(to)]
      await ask(to.admin, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', source)
      await ask(from.admin, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', target)
      const keys = (await ask(from.admin, 'CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[]
      const port = new URL(to.admin).port
      const send = async (some: readonly string[]): Promise<void> => {
        if (some.length > 0) await ask(from.admin, 'MIGRATE', '127.0.0.1', port, '', 0, 5_000, 'KEYS', ...some)
      }
      await send(keys.slice(0, 1))
      await half()
      await send(keys.slice(1))
      for (const { admin } of [to, from]) await ask(admin, 'CLUSTER', 'SETSLOT', slot, 'NODE', target)
    },
    ask: async (...command) => {
      const name = String(command[0]).toUpperCase()
      if (name === 'PUBLISH') return publish(nodes, command)
      if (MANY.includes(name) && command.length > 2) {
        const one = async (key: string | number): Promise<Reply> => ask((await nodeOf(String(key))).admin, name, key)
        const counts = await Promise.all(command.slice(1).map(one))
        return counts.reduce<number>((sum, count) => sum + Number(count), 0)
      }
      if (!KEYLESS.includes(name)) {
        const key = String(command[name === 'EVAL' || name === 'EVALSHA' ? 3 : 1])
        return ask((await nodeOf(key)).admin, ...command)
      }
      const one = ({ admin }: RedisControls): Promise<Reply> =>
        name === 'SCAN' ? scanAll(admin, command) : ask(admin, ...command)
      // Only that one knows which runs a script.
      if (name === 'SCRIPT' && command[1] === 'KILL') return Promise.any(nodes.map(one))
      return together(name, await Promise.all(nodes.map(one)))
    },
    stop: () => each((node) => node.stop()),
    cont: () => each((node) => node.cont()),
    kill: () => each((node) => node.kill()),
    restart: async (how) => {
      await each((node) => node.restart(how))
      await whole()
    },
    close: () => each((node) => node.close()),
  }
}
