/** Which lock the name of a condition stands for: Redis keeps it for a day, so that all programs mean the same by it. */
import { ConflictError, ConnectionError } from '@skein/core'
import { type Call, describeObject, type Session } from '@skein/core/adapter'
import { keyOf, type Script, type Surround } from './surround.ts'

export interface ConditionSpec {
  /** Kind and name of its lock; of the kind `condition`: its own. */
  readonly lock: string
  readonly of: string
}

/** A day: after that the name of a condition that nobody has used since may go to another lock. */
const KEEP = 86_400_000

export class ConditionName {
  readonly #label: string
  readonly #spec: ConditionSpec
  readonly #key: string
  readonly #claim: Script<[string, number], string>
  readonly #forget: Script<[], number>
  /** The name is known to be this lock's. */
  #sure: boolean
  #claiming: Promise<void> | null = null

  constructor(name: string, spec: ConditionSpec, around: Surround) {
    this.#label = describeObject('condition', name)
    this.#spec = spec
    this.#key = `${keyOf(around, 'condition', name)}:m`
    this.#claim = around.store.script('condition-claim', { allowOom: true })
    this.#forget = around.store.script('forget', { text: `return redis.call('DEL', KEYS[1])`, allowOom: true })
    // Without a name neither can be asked for in another way.
    this.#sure = name.startsWith('~') || spec.of.startsWith('~')
  }

  /** Does what was asked when it is known that the name is this lock's, and not before what was asked earlier. */
  inTurn(call: Call, work: () => void): void {
    if (this.#sure) {
      work()
      return
    }
    this.#claiming ??= this.#claimIt()
    this.#claiming.then(work, (error: Error) => call.fail(error))
  }

  /** As `inTurn`, of what nobody waits for. */
  behind(work: () => void): void {
    if (this.#claiming === null) work()
    else void this.#claiming.then(work, work)
  }

  /** @throws ConflictError if it is another lock's */
  check(spec: ConditionSpec): void {
    const { lock, of } = spec
    if (lock !== this.#spec.lock || of !== this.#spec.of) throw this.#conflict(this.#spec, spec)
  }

  async forget(): Promise<void> {
    await this.#forget.call([this.#key], [])
  }

  async #claimIt(): Promise<void> {
    const { lock, of } = this.#spec
    try {
      const there = await this.#claim.call([this.#key], [`${lock}:${of}`, KEEP])
      const colon = there.indexOf(':')
      if (colon > 0) throw this.#conflict({ lock: there.slice(0, colon), of: there.slice(colon + 1) }, this.#spec)
      this.#sure = true
    } catch (error) {
      // The next one asks again; what this one was for will see for itself whether there is a connection.
      if (!(error instanceof ConnectionError)) throw error
    } finally {
      this.#claiming = null
    }
  }

  #conflict(there: ConditionSpec, asked: ConditionSpec): ConflictError {
    const mend = 'use one lock or another name'
    return new ConflictError(`${this.#label} exists with ${lockOf(there)}, ${lockOf(asked)} was asked for; ${mend}`)
  }
}

/** Names a wait of a process. */
export function keyOfWait({ serial }: Session, id: number): string {
  return `${serial} ${id}`
}

function lockOf({ lock, of }: ConditionSpec): string {
  return lock === 'condition' ? 'a lock of its own' : describeObject(lock, of)
}
