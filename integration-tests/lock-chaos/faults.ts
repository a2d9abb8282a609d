/** What happens to the programs of a chaos run: by a seed, so that a schedule can be had again. */
import { pause } from '../support/chaos.ts'
import type { Proxy } from '../support/proxy.ts'
import type { RedisServer } from '../support/redis.ts'
import { type Arena, type Contender, signal } from './arena.ts'

const kinds = ['kill-child', 'kill-program', 'stop', 'client-kill', 'lost-reply'] as const
export type Kind = (typeof kinds)[number]

/** A server, and the proxy through which programs reach it. */
export interface Site {
  readonly server: RedisServer
  readonly proxy: Proxy
}

export interface FaultsPlan {
  readonly arena: Arena
  readonly sites: readonly Site[]
  /** What may happen; default: all of it. */
  readonly kinds?: readonly Kind[]
  /** Programs that processes are killed and stopped in; one that ends has a successor. */
  readonly victims: Contender[]
  readonly sessionTtl: number
  readonly random: () => number
}

export class Faults {
  readonly #plan: FaultsPlan
  readonly #kinds: readonly Kind[]
  readonly done: Record<Kind, number> = {
    'kill-child': 0,
    'kill-program': 0,
    stop: 0,
    'client-kill': 0,
    'lost-reply': 0,
  }
  readonly #stopped = new Set<number>()
  readonly #wakings: Promise<void>[] = []

  constructor(plan: FaultsPlan) {
    this.#plan = plan
    this.#kinds = plan.kinds ?? kinds
  }

  /** Each kind has happened three times. */
  get enough(): boolean {
    return this.#kinds.every((kind) => this.done[kind] >= 3)
  }

  /** First each kind three times, then any. It counts if there was somebody to whom it could happen. */
  async run(round: number): Promise<void> {
    const { random } = this.#plan
    const many = this.#kinds.length
    const at = round < 3 * many ? round % many : Math.floor(random() * many)
    const kind = this.#kinds[at] as Kind
    const ways: Record<Kind, () => Promise<boolean>> = {
      'kill-child': () => this.#killChild(),
      'kill-program': () => this.#killProgram(),
      stop: () => this.#stop(),
      'client-kill': () => this.#clientKill(),
      'lost-reply': () => this.#loseReply(),
    }
    if (await ways[kind]()) this.done[kind] += 1
  }

  /** All that were stopped go on, and all programs are there. */
  async settled(): Promise<void> {
    await Promise.all(this.#wakings)
    await Promise.all(this.#plan.victims.map(({ ready }) => ready))
  }

  async #killChild(): Promise<boolean> {
    const program = this.#pick()
    if (program === null) return false
    // Half of them hold the lock; the others stand in line.
    const children = [...program.children]
    const kill = (pid: number): boolean => signal(pid, 'SIGKILL')
    const any = this.#any(children)
    const child =
      this.#plan.random() < 0.5 ? await this.#holding(children, kill) : any !== null && kill(any) ? any : null
    if (child === null) return false
    program.children.delete(child)
    return true
  }

  async #killProgram(): Promise<boolean> {
    const { victims, arena } = this.#plan
    // What wakes up is to see what has become of its lease.
    const program = this.#pick(({ pid, children }) => ![pid, ...children].some((one) => this.#stopped.has(one)))
    if (program === null || !signal(program.pid, 'SIGKILL')) return false
    await program.ended
    program.children.clear()
    victims[victims.indexOf(program)] = arena.start()
    return true
  }

  async #stop(): Promise<boolean> {
    const { random, arena, sessionTtl } = this.#plan
    const program = this.#pick()
    if (program === null) return false
    const pids = random() < 0.7 ? [...program.children] : [program.pid]
    const pid = await this.#holding(pids, (one) => {
      if (!signal(one, 'SIGSTOP')) return false
      // It may have left in the last moment.
      if (arena.read().inside === String(one)) return true
      signal(one, 'SIGCONT')
      return false
    })
    if (pid === null) return false
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
    const { random } = this.#plan
    const type = random() < 0.5 ? 'normal' : 'pubsub'
    // A server that is away has none; one that is stopped does it when it goes on.
    const done = this.#site.server.ask('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes').then(
      () => true,
      () => false,
    )
    return Promise.race([done, pause(500).then(() => false)])
  }

  async #loseReply(): Promise<boolean> {
    const { proxy } = this.#site
    return Promise.race([proxy.dropReply().then(() => true), pause(1_000).then(() => false)])
  }

  get #site(): Site {
    const { random, sites } = this.#plan
    return sites[Math.floor(random() * sites.length)] as Site
  }

  #pick(among: (one: Contender) => boolean = ({ pid }) => !this.#stopped.has(pid)): Contender | null {
    const { random, victims } = this.#plan
    const pool = victims.filter(among)
    return pool[Math.floor(random() * pool.length)] ?? null
  }

  #any(pids: readonly number[]): number | null {
    const awake = pids.filter((pid) => !this.#stopped.has(pid))
    return awake[Math.floor(this.#plan.random() * awake.length)] ?? null
  }

  /** One of them to which it was done in the middle of holding the lock; `null` if that does not come about. */
  async #holding(pids: readonly number[], done: (pid: number) => boolean): Promise<number | null> {
    const { arena } = this.#plan
    const names = new Set(pids.filter((pid) => !this.#stopped.has(pid)).map(String))
    const end = performance.now() + 3_000
    while (performance.now() < end) {
      const { inside } = arena.read()
      if (names.has(inside) && done(Number(inside))) return Number(inside)
      await pause(1)
    }
    return null
  }
}
