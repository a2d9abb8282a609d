/** Machines with addresses of their own, as far as one kernel can give them: network namespaces, joined to this one by a bridge. Linux, as root. */
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { connect } from 'node:net'
import process from 'node:process'
import { until } from '@skein/conformance'

export interface Machine {
  readonly name: string
  readonly address: string
  /** What a command line begins with that is to run there, under that name. */
  readonly prefix: readonly string[]
  /** Its cable is pulled, and put in again. */
  cut(): void
  /** Resolves when each side reaches the other again. */
  heal(): Promise<void>
}

export interface Network {
  /** Of this side: where a server listens for all of them. */
  readonly address: string
  readonly machines: readonly Machine[]
  close(): void
}

function ip(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr ?? ''}`, { cause: error })
}

/** Nobody listens there. */
const DISCARD = 9

async function answers(address: string): Promise<boolean> {
  const socket = connect({ host: address, port: DISCARD, timeout: 200 })
  return new Promise<boolean>((told) => {
    socket.on('connect', () => told(true))
    socket.on('timeout', () => told(false))
    socket.on('error', (error: NodeJS.ErrnoException) => told(error.code === 'ECONNREFUSED'))
  }).finally(() => socket.destroy())
}

/** `''`, or why there can be none here. */
export function noNetwork(): string {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'making network namespaces needs root'
  const probe = `skein-${process.pid}`
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0) return 'ip netns is not there, or not allowed'
  ip('netns', 'del', probe)
  return spawnSync('unshare', ['--uts', 'true']).status === 0 ? '' : 'unshare --uts is not there, or not allowed'
}

export function makeNetwork(names: readonly string[]): Network {
  const id = randomInt(0x10000).toString(16).padStart(4, '0')
  const subnet = `10.${randomInt(100, 250)}.${randomInt(250)}`
  const bridge = `sk${id}`
  const undo: (readonly string[])[] = []
  const close = (): void => {
    for (const args of undo.splice(0).toReversed()) spawnSync('ip', args)
  }
  try {
    ip('link', 'add', bridge, 'type', 'bridge')
    undo.push(['link', 'del', bridge])
    ip('addr', 'add', `${subnet}.1/24`, 'dev', bridge)
    ip('link', 'set', bridge, 'up')
    const machines = names.map((name, index): Machine => {
      const [space, cable, end] = [`skein-${id}-${name}`, `sk${id}h${index}`, `sk${id}n${index}`]
      const address = `${subnet}.${index + 2}`
      ip('netns', 'add', space)
      undo.push(['netns', 'del', space])
      ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', end)
      undo.push(['link', 'del', cable])
      ip('link', 'set', end, 'netns', space)
      ip('link', 'set', cable, 'master', bridge, 'up')
      for (const args of [
        ['addr', 'add', `${address}/24`, 'dev', end],
        ['link', 'set', end, 'up'],
        ['link', 'set', 'lo', 'up'],
      ])
        ip('-n', space, ...args)
      return {
        name,
        address,
        prefix: ['ip', 'netns', 'exec', space, 'unshare', '--uts', 'sh', '-c', `hostname ${name} && exec "$0" "$@"`],
        cut: () => ip('link', 'set', cable, 'down'),
        heal: async () => {
          ip('link', 'set', cable, 'up')
          // Who asked for the other while it was away is told for seconds more that there is no way to it (ARP, 3 s): both ask anew.
          ip('neigh', 'flush', 'dev', bridge)
          ip('-n', space, 'neigh', 'flush', 'dev', end)
          await until(`${name} is reached again`, () => answers(address))
        },
      }
    })
    return { address: `${subnet}.1`, machines, close }
  } catch (error) {
    close()
    throw error
  }
}
