/** A semaphore with `owned: false` in Redis. A permit that is given to a process that is stopped would be held up, so it waits out of line. */
import { ConflictError } from '@skein/core'
import type { Methods, Session } from '@skein/core/adapter'
import type { PermitsSpec } from './redis-permits.ts'
import { RedisState } from './redis-state.ts'
import type { Surround } from './surround.ts'

export class RedisCounter extends RedisState {
  readonly #initial: number

  constructor(name: string, { permits }: PermitsSpec, around: Surround, creator: Session | null = null) {
    super('semaphore', name, { script: 'counter', shape: String(permits), parks: true }, around, creator)
    this.#initial = permits
  }

  protected override readonly methods: Methods = {
    acquire: (call) => {
      const [permits, poll] = call.args as [number, boolean]
      this.wait(call, 'acquire', {
        poll,
        want: String(permits),
        answer: (text) => Number(text.split(' ')[0]),
        none: null,
      })
    },
    release: (call) => this.tell(call, 'release', [(call.args as [number])[0]]),
    value: (call) => this.read(call, 'value', Number),
  }

  override post(session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    this.send(session, 'release', [(args as [number])[0]])
  }

  override check(spec: unknown): void {
    const { permits, owned } = spec as PermitsSpec
    if (owned !== false || permits !== this.#initial)
      throw this.#conflict(`${this.#initial} permits that belong to nobody`, owned === false ? permits : null)
  }

  protected override conflict(there: string): ConflictError {
    const [permits = '', owned] = there.split(' ')
    const whose = owned === undefined ? 'nobody' : 'who took them'
    return this.#conflict(`${permits} permits that belong to ${whose}`, this.#initial)
  }

  /** @param asked null: permits that have owners */
  #conflict(there: string, asked: number | null): ConflictError {
    const what =
      asked === null ? 'permits that belong to who took them' : `${asked} that belong to nobody (owned: false)`
    return new ConflictError(
      `${this.label} exists with ${there}, ${what} were asked for; use the same options or another name`,
    )
  }
}
