/** A barrier at the broker: those who wait, in the order of arrival, and who runs the action of a full round. */
import { BrokenBarrierError, ConflictError } from '../errors.ts'
import type { ObjectSnapshot } from '../contract/snapshot.ts'
import { BrokerObject, type Methods } from '../supervisor/broker/broker-object.ts'
import type { Call, Session } from '../supervisor/broker/session.ts'
import { partyOf, waitSnapshot } from '../supervisor/broker/snapshots.ts'
import { Waiters } from './waiters.ts'

export interface BarrierSpec {
  readonly parties: number
}

interface Runner {
  readonly session: Session
  readonly round: string
  /** Its number in the round. */
  readonly seat: number
}

function who({ process: { name, pid } }: Session): string {
  return `process ${name} (pid ${pid})`
}

export class BarrierObject extends BrokerObject {
  readonly #parties: number
  /** Whether each can run the action. Those beyond the parties of a round whose action runs are for the next one. */
  readonly #waiters = new Waiters<boolean>()
  #runner: Runner | null = null
  /** Why it is broken. */
  #broken: string | null = null
  #round = 0

  constructor(name: string, { parties }: BarrierSpec) {
    super('barrier', name)
    this.#parties = parties
  }

  protected override readonly methods: Methods = {
    wait: (call) => this.#wait(call),
    acted: (call) => this.#acted(call, call.args[0] as string),
    abort: (call) => {
      this.#break(`${who(call.session)} aborted it`)
      call.ok()
    },
    reset: (call) => {
      this.#fail(`${who(call.session)} reset it`)
      this.#broken = null
      call.ok()
    },
    broken: (call) => call.ok(this.#broken !== null),
    waiting: (call) => call.ok(this.#waiters.size + (this.#runner === null ? 0 : 1)),
  }

  override post(session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    if (args[0] === this.#runner?.round) this.#break(`its action failed in ${who(session)}`)
  }

  override check(spec: unknown): void {
    const { parties } = spec as BarrierSpec
    if (parties === this.#parties) return
    throw new ConflictError(
      `${this.label} exists with ${this.#parties} parties, ${parties} were asked for; use one number or another name`,
    )
  }

  override leave(session: Session): void {
    if (this.#runner?.session === session) this.#break(`${who(session)} ended while it ran the action`)
  }

  override inspect(): ObjectSnapshot {
    const runners = this.#runner === null ? [] : [{ ...partyOf(this.#runner.session), token: null, count: 1 }]
    const how = {
      depth: this.#waiters.size + runners.length,
      capacity: this.#parties,
      state: this.#broken === null ? 'open' : 'broken',
      holders: runners,
    } as const
    return waitSnapshot(this, how, this.#waiters.parties)
  }

  override end(reason: Error): void {
    this.#waiters.fail(reason)
  }

  #wait(call: Call): void {
    const [action, poll] = call.args as [boolean, boolean]
    if (this.#broken !== null) {
      call.fail(this.#error(this.#broken))
      return
    }
    const { session } = call
    if (poll && (this.#runner !== null || this.#waiters.size + 1 < this.#parties)) {
      this.#break(`${who(session)} gave up`)
      call.ok(null)
      return
    }
    this.#waiters.add(call, action, () => this.#break(`${who(session)} ${session.over ? 'ended' : 'gave up'}`))
    this.#fill()
  }

  /** Lets full rounds pass, or has one of their parties run the action. */
  #fill(): void {
    while (this.#runner === null && this.#waiters.size >= this.#parties) {
      const round = [...this.#waiters].slice(0, this.#parties)
      this.#round += 1
      const seat = round.findLastIndex(([, action]) => action)
      const [call] = round[seat] ?? []
      if (call === undefined) this.#pass(round.map(([one]) => one))
      else {
        this.#runner = { session: call.session, round: String(this.#round), seat }
        this.#waiters.answer(call, { run: this.#runner.round })
      }
    }
  }

  #acted(call: Call, round: string): void {
    const runner = this.#runner
    if (runner?.round !== round) {
      call.fail(this.#error(this.#broken ?? 'it was reset while its action ran'))
      return
    }
    this.#runner = null
    const others = [...this.#waiters].slice(0, this.#parties - 1).map(([one]) => one)
    this.#pass(others.toSpliced(runner.seat, 0, call))
    this.#fill()
  }

  /** In the order of arrival. */
  #pass(round: readonly Call[]): void {
    for (const [seat, call] of round.entries()) {
      this.#waiters.delete(call)
      call.ok(seat)
    }
  }

  #break(why: string): void {
    if (this.#broken !== null) return
    this.#broken = why
    this.#fail(why)
  }

  #fail(why: string): void {
    this.#runner = null
    this.#waiters.fail(this.#error(why))
  }

  #error(why: string): BrokenBarrierError {
    return new BrokenBarrierError(`${this.label} is broken: ${why}; reset() makes it usable again`)
  }
}
