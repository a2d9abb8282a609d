/** Barrier, as a process has it: seats at the broker, and the action that one party runs. */
import { Buffer } from 'node:buffer'
import type { BarrierAction } from '../contract/adapter.ts'
import type { Barrier } from '../contract/barrier.ts'
import type { TargetRef } from '../contract/target.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { encodeJson } from '../codec/index.ts'
import { resolveTarget } from '../target/index.ts'
import { timedOut } from '../util/wait.ts'
import { Presence } from './presence.ts'
import { type Place, RemoteObject } from './remote-object.ts'

/** This party's number, or the round whose action it is to run; `null`: not all are there. */
type Arrival = number | { readonly run: string } | null

/**
 * The actions of barriers made here, by barrier and action. Their module may be the one that waits at the barrier right now, while it is
 * loading: imported again, it would wait for itself.
 */
const own = new Map<string, () => unknown>()

export class LinkedBarrier extends RemoteObject<Presence> implements Barrier {
  readonly parties: number
  /** Encoded; '' if this handle has none. */
  readonly #action: string

  /** @param run the action itself, where the barrier is made */
  constructor(place: Place, run?: () => unknown) {
    super(place, () => new Presence())
    this.parties = Number(place.shape['parties'])
    this.#action = String(place.shape['action'] ?? '')
    if (run === undefined) return
    const key = this.#key
    own.set(key, run)
    this.whenGone(() => own.delete(key))
  }

  /** What travels with a handle. */
  static shape(parties: number, action: BarrierAction | null): Place['shape'] {
    return action === null ? { parties } : { parties, action: encodeJson(action.ref, 'action') }
  }

  async wait(wait?: WaitOptions): Promise<number> {
    const options = this.checked(wait)
    const what = `${this.label} was not reached by all parties`
    const arrival = await this.callOrPoll<Arrival>('wait', [this.#action !== ''], options, what, {
      late: (late) => {
        if (typeof late === 'object' && late !== null) this.#fail((late as { run: string }).run)
      },
    })
    if (arrival === null) throw timedOut(what, options)
    return typeof arrival === 'number' ? arrival : this.#act(arrival.run)
  }

  abort(): Promise<void> {
    return this.call('abort')
  }

  reset(): Promise<void> {
    return this.call('reset')
  }

  broken(): Promise<boolean> {
    return this.call<boolean>('broken')
  }

  waiting(): Promise<number> {
    return this.call<number>('waiting')
  }

  async #act(round: string): Promise<number> {
    try {
      const action = own.get(this.#key) ?? (await resolveTarget(this.#decoded()))
      await action()
      // If not, the others are not to wait for the word of this party.
      this.home.checkOpen()
    } catch (error) {
      this.#fail(round)
      throw error
    }
    return this.call<number>('acted', [round, true])
  }

  /** The action of this round will not be done. */
  #fail(round: string): void {
    this.broker.post(this.number, 'acted', round, false)
  }

  get #key(): string {
    return `${this.name} ${this.#action}`
  }

  #decoded(): TargetRef {
    return this.home.decodeJson(Buffer.from(this.#action)) as TargetRef
  }
}
