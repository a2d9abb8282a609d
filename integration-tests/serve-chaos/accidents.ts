/** Two programs that serve, of which one has an accident now and then, as has their server. One that ends has a successor. */
import { onTestFinished } from 'vitest'
import { pause } from '../support/chaos.ts'
import { type Host, startHost } from '../support/hosts.ts'
import type { RedisServer } from '../support/redis.ts'

export const SESSION_TTL = 1_000
/** Of each program that serves. */
export const SLOTS = 3
export const HOSTS = 2

/** `cut`: all connections are; `lose`: the server forgets what programs have said to each other. */
const all = ['kill', 'close', 'stop', 'cut', 'lose'] as const

export type Accident = (typeof all)[number]

export interface Stage {
  readonly redis: RedisServer
  readonly namespace: string
  readonly random: () => number
  /** Default: all. */
  readonly kinds?: readonly Accident[] | undefined
}

export class Accidents {
  readonly #redis: RedisServer
  readonly #namespace: string
  readonly #kinds: readonly Accident[]
  readonly #start: () => Promise<Host>
  readonly #random: () => number
  readonly #hosts: Host[] = []
  readonly done: Record<Accident, number> = { kill: 0, close: 0, stop: 0, cut: 0, lose: 0 }
  #rounds = 0
  #over = false
  #running: Promise<void> = Promise.resolve()

  private constructor({ redis, namespace, random, kinds = all }: Stage) {
    this.#redis = redis
    this.#namespace = namespace
    this.#kinds = kinds
    this.#start = () =>
      startHost(redis.url, namespace, { connect: { sessionTtl: SESSION_TTL, serve: { slots: SLOTS } } })
    this.#random = random
  }

  static async begin(stage: Stage): Promise<Accidents> {
    const accidents = new Accidents(stage)
    onTestFinished(() => accidents.#clear())
    while (accidents.#hosts.length < HOSTS) accidents.#hosts.push(await accidents.#start())
    accidents.#running = accidents.#run()
    return accidents
  }

  /** Each kind has happened. */
  get enough(): boolean {
    return this.#kinds.every((kind) => this.done[kind] > 0)
  }

  /** No more accidents; all programs that serve are well. */
  async end(): Promise<void> {
    this.#over = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      await pause(200 + this.#random() * 800)
      const kinds = this.#kinds
      const at = this.#rounds < kinds.length ? this.#rounds : Math.floor(this.#random() * kinds.length)
      this.#rounds += 1
      const kind = kinds[at] as Accident
      this.done[kind] += 1
      if (kind === 'cut') {
        for (const type of ['pubsub', 'normal']) await this.#redis.ask('CLIENT', 'KILL', 'TYPE', type)
        continue
      }
      if (kind === 'lose') {
        const lists = (await this.#redis.ask('KEYS', `{${this.#namespace}:s:*}:in`)) as string[]
        for (const list of lists) await this.#redis.ask('DEL', list)
        // Nothing is lost where nothing is under way: it counts when it has met something.
        if (lists.length === 0) this.done.lose -= 1
        continue
      }
      const host = this.#hosts.shift() as Host
      if (kind === 'stop') {
        this.#hosts.push(host)
        host.kill('SIGSTOP')
        await pause(SESSION_TTL * (0.5 + 2 * this.#random()))
        host.kill('SIGCONT')
      } else {
        if (kind === 'kill') host.kill('SIGKILL')
        const [next] = await Promise.all([this.#start(), kind === 'kill' ? host.ended : host.close()])
        this.#hosts.push(next)
      }
    }
  }

  async #clear(): Promise<void> {
    await this.end()
    for (const host of this.#hosts) host.kill('SIGKILL')
    await Promise.all(this.#hosts.map(({ ended }) => ended))
  }
}
