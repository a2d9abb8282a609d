/** A barrier in Redis. A process that is stopped loses its seat, which breaks the barrier: the others are not to wait for it. */
import { BrokenBarrierError, ConflictError } from '@skein/core'
import type { Methods, Session } from '@skein/core/adapter'
import { RedisState } from './redis-state.ts'
import type { Surround } from './surround.ts'

export interface BarrierSpec {
  readonly parties: number
}

function who({ process: { name, pid } }: Session): string {
  return `process ${name} (pid ${pid})`
}

export class RedisBarrier extends RedisState {
  readonly #parties: number
  /** The rounds whose actions processes of this program run. */
  readonly #running = new Map<Session, string>()

  constructor(name: string, { parties }: BarrierSpec, around: Surround, creator: Session | null = null) {
    super('barrier', name, { script: 'barrier', shape: String(parties), parks: true }, around, creator)
    this.#parties = parties
  }

  protected override readonly methods: Methods = {
    wait: (call) => {
      const [action, poll] = call.args as [boolean, boolean]
      this.wait(call, 'wait', {
        poll,
        want: action ? 'action' : '-',
        args: [who(call.session)],
        answer: (text) => this.#arrived(call.session, text),
        none: null,
      })
    },
    acted: (call) => {
      const [round] = call.args as [string]
      this.#running.delete(call.session)
      this.tell(call, 'acted', [round, '1'], (text) => this.#passed(text))
    },
    abort: (call) => this.tell(call, 'abort', [who(call.session)]),
    reset: (call) => this.tell(call, 'reset', [who(call.session)]),
    broken: (call) => this.read(call, 'broken', (text) => text === '1'),
    waiting: (call) => this.read(call, 'waiting', Number),
  }

  override post(session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    this.#running.delete(session)
    this.send(session, 'acted', [args[0] as string, '0', `its action failed in ${who(session)}`])
  }

  override check(spec: unknown): void {
    const { parties } = spec as BarrierSpec
    if (parties !== this.#parties) throw this.#conflict(this.#parties, parties)
  }

  override leave(session: Session): void {
    super.leave(session)
    this.#abandon(session, 'ended while it ran the action')
  }

  override suspend(session: Session): void {
    super.suspend(session)
    this.#abandon(session, 'was stopped for too long while it ran the action')
  }

  protected override conflict(there: string): ConflictError {
    return this.#conflict(Number(there), this.#parties)
  }

  #abandon(session: Session, how: string): void {
    const round = this.#running.get(session)
    if (round === undefined) return
    this.#running.delete(session)
    this.send(session, 'acted', [round, '0', `${who(session)} ${how}`])
  }

  /** A number, the round whose action the process is to run, or null: not all are there. */
  #arrived(session: Session, text: string): unknown {
    if (text === 't') return null
    if (!text.startsWith('r ')) return this.#passed(text)
    const run = text.slice(2)
    this.#running.set(session, run)
    return { run }
  }

  #passed(text: string): number {
    if (text.startsWith('p ')) return Number(text.slice(2))
    throw new BrokenBarrierError(`${this.label} is broken: ${text.slice(2)}; reset() makes it usable again`)
  }

  #conflict(there: number, asked: number): ConflictError {
    return new ConflictError(
      `${this.label} exists with ${there} parties, ${asked} were asked for; use one number or another name`,
    )
  }
}
