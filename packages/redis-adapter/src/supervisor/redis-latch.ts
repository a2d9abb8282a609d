/** A latch in Redis. Who waits for it disturbs nobody, so a process that is stopped waits on. */
import { ConflictError } from '@skein/core'
import type { Methods, Session } from '@skein/core/adapter'
import { RedisState } from './redis-state.ts'
import type { Surround } from './surround.ts'

export interface LatchSpec {
  readonly count: number
}

export class RedisLatch extends RedisState {
  readonly #total: number

  constructor(name: string, { count }: LatchSpec, around: Surround, creator: Session | null = null) {
    super('latch', name, { script: 'latch', shape: String(count) }, around, creator)
    this.#total = count
  }

  protected override readonly methods: Methods = {
    countDown: (call) => this.tell(call, 'countDown', [(call.args as [number])[0]], Number),
    count: (call) => this.read(call, 'count', Number),
    wait: (call) => this.wait(call, 'wait', { poll: call.args[0] === true, answer: () => true, none: false }),
  }

  override check(spec: unknown): void {
    const { count } = spec as LatchSpec
    if (count !== this.#total) throw this.#conflict(this.#total, count)
  }

  protected override conflict(there: string): ConflictError {
    return this.#conflict(Number(there), this.#total)
  }

  #conflict(there: number, asked: number): ConflictError {
    return new ConflictError(
      `${this.label} exists with a count of ${there}, ${asked} was asked for; use one number or another name`,
    )
  }
}
