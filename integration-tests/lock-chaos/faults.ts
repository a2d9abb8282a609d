/** What happens to the programs of a chaos run: by a seed, so that a schedule can be had again. */
import type { RedisServer } from '../support/redis.ts'
import type { Proxy } from '../support/proxy.ts'
import { type Arena, type Contender, signal } from './arena.ts'

export const kinds = ['kill', 'stop', 'client-kill', 'lost-reply'] as const
export type Kind = (typeof kinds)[number]

/** Numbers from 0 to 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface FaultsPlan {
  readonly arena: Arena
  readonly server: RedisServer
  readonly proxy: Proxy
  /** Programs that processes are killed and stopped in; one that ends has a successor. */
  readonly victims: Contender[]
  readonly urls: string
  readonly sessionTtl: number
  readonly random: () => number
  /** Whether a process may be killed now, and a whole program: their successors need the first server. Default: both. */
  readonly mayKill?: () => { readonly child: boolean; readonly program: boolean }
}

export class Faults {
  readonly #plan: FaultsPlan
  readonly done: Record<Kind, number> = { kill: 0, stop: 0, 'client-kill': 0, 'lost-reply': 0 }
  readonly #stopped = new Set<number>()
  readonly #wakings: Promise<void>[] = []

  constructor(plan: FaultsPlan) {
    this.#plan = plan
  }

  /** It counts if there was somebody to whom it could happen. */
  async run(kind: Kind): Promise<void> {
    const ways: Record<Kind, () => Promise<boolean>> = {
      kill: () => this.#kill(),
      stop: () => this.#stop(),
      'client-kill': () => this.#clientKill(),
      'lost-reply': () => this.#loseReply(),
    }
    if (await ways[kind]()) this.done[kind] += 1
  }

  /** All that were stopped go on. */
  async settled(): Promise<void> {
    await Promise.all(this.#wakings)
  }

  async #kill(): Promise<boolean> {
    const { random, victims, arena, urls } = this.#plan
    const may = this.#plan.mayKill?.() ?? { child: true, program: true }
    const program = this.#pick()
    if (!may.program || random() < 0.7) {
      if (!may.child) return false
      // Half of them hold the lock; the others stand in line.
      const child = random() < 0.5 ? await this.#holding([...program.children]) : this.#any([...program.children])
      if (child === null) return false
      signal(child, 'SIGKILL')
      program.children.delete(child)
      return true
    }
    signal(program.pid, 'SIGKILL')
    await program.ended
    program.children.clear()
    victims[victims.indexOf(program)] = arena.start(urls)
    return true
  }

  async #stop(): Promise<boolean> {
    const { random, arena, sessionTtl } = this.#plan
    const program = this.#pick()
    const pid = await this.#holding(random() < 0.7 ? [...program.children] : [program.pid])
    if (pid === null || !signal(pid, 'SIGSTOP')) return false
    this.#stopped.add(pid)
    arena.note(`S ${pid}`)
    const asleep = sessionTtl * (1.6 + random())
    this.#wakings.push(
      pause(asleep).then(() => {
        this.#stopped.delete(pid)
        signal(pid, 'SIGCONT')
      }),
    )
    return true
  }

  async #clientKill(): Promise<boolean> {
    const { random, server } = this.#plan
    try {
      await server.ask('CLIENT', 'KILL', 'TYPE', random() < 0.5 ? 'normal' : 'pubsub', 'SKIPME', 'yes')
      return true
    } catch {
      // The server is away at the moment, and its connections with it.
      return false
    }
  }

  async #loseReply(): Promise<boolean> {
    const { proxy } = this.#plan
    return Promise.race([proxy.dropReply().then(() => true), pause(1_000).then(() => false)])
  }

  #pick(): Contender {
    const { random, victims } = this.#plan
    const running = victims.filter(({ pid }) => !this.#stopped.has(pid))
    const pool = running.length > 0 ? running : victims
    return pool[Math.floor(random() * pool.length)] as Contender
  }

  #any(pids: readonly number[]): number | null {
    const awake = pids.filter((pid) => !this.#stopped.has(pid))
    return awake[Math.floor(this.#plan.random() * awake.length)] ?? null
  }

  /** One of them, in the middle of holding the lock if that comes about soon. */
  async #holding(pids: readonly number[]): Promise<number | null> {
    const { arena } = this.#plan
    const awake = pids.filter((pid) => !this.#stopped.has(pid))
    const names = new Set(awake.map(String))
    const end = performance.now() + 1_500
    while (performance.now() < end) {
      const { holder } = arena.read()
      if (names.has(holder)) return Number(holder)
      await pause(1)
    }
    return this.#any(awake)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
