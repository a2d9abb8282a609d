/** Programs for the tests of locks: core's real broker and clients on a real Redis, with losses and deaths on command. */
import { Broker, type BrokerClient, numberHead, type ObjectFactory, op, type Session } from '@skein/core/adapter'
import type { Surround } from '../src/supervisor/surround.ts'
import { linked } from './pair-link.ts'
import { type Dead, type Ground, groundAt, Surroundings, type Times } from './surroundings.ts'

/** A client process of a program. */
export class TestProcess {
  readonly session: Session
  readonly client: BrokerClient
  /** As by `kill -9`. */
  readonly kill: () => void

  constructor(session: Session, client: BrokerClient, kill: () => void) {
    this.session = session
    this.client = client
    this.kill = kill
  }

  permits(kind: 'lock' | 'rlock' | 'semaphore', name: string, permits = 1): TestPermits {
    return new TestPermits(this.client, this.client.open(kind, name, { permits }, false))
  }

  lock(name: string): TestPermits {
    return this.permits('lock', name)
  }
}

export class TestPermits {
  readonly #client: BrokerClient
  readonly number: number
  gone: Error | null = null

  constructor(client: BrokerClient, number: number) {
    this.#client = client
    this.number = number
    client.listener(number, () => ({
      event: (name, args) => {
        if (name === 'gone') this.gone = args[0] as Error
      },
    }))
  }

  acquire(options: { permits?: number; timeout?: number; signal?: AbortSignal } = {}): Promise<number> {
    const { permits = 1, timeout, signal } = options
    return this.#client.call<number>(this.number, 'acquire', [permits, false], {
      wait: { timeout, signal },
      what: 'not granted',
      late: (token) => this.release(token as number),
    })
  }
  tryAcquire(permits = 1): Promise<number | null> {
    return this.#client.call<number | null>(this.number, 'acquire', [permits, true])
  }
  release(token: number): void {
    this.#client.send(op.release, this.number, 0, numberHead(token))
  }
  value(): Promise<number> {
    return this.#client.call<number>(this.number, 'value')
  }
  holder(): Promise<unknown> {
    return this.#client.call(this.number, 'holder')
  }
  destroy(): Promise<void> {
    return this.#client.call(this.number, 'destroy')
  }
}

type Kinds = (around: Surround) => Readonly<Record<string, ObjectFactory>>

export class World extends Surroundings {
  readonly broker: Broker
  #processes = 0

  private constructor(ground: Ground, dead: Dead, kinds: Kinds, times: Times) {
    super(ground, dead, times)
    this.broker = new Broker(kinds(this.around))
  }

  static async open(
    url: string | readonly string[],
    namespace: string,
    dead: Dead,
    kinds: Kinds,
    times: Times = {},
  ): Promise<World> {
    return new World(await groundAt(url, namespace), dead, kinds, times).ready()
  }

  process(name = 'main'): TestProcess {
    this.#processes += 1
    const id = `${this.sid.slice(2)}${this.#processes}`
    const session = this.broker.session({ id, name, pid: 1_000 + this.#processes, host: 'here' })
    const { client, kill } = linked(this.broker, session)
    return new TestProcess(session, client, kill)
  }

  /** What it held is anybody's. */
  override lose(): void {
    this.dead.add(this.sid)
    super.lose()
  }
}
