/** One wait in a condition of a lock that is on several masters: into the line, out of the lock, and when it is notified into the lock again. */
import type { Call } from '@skein/core/adapter'
import type { Ask } from '../permits-requests.ts'
import type { RedisPermits } from '../redis-permits.ts'
import type { LockRequest, RedlockPermits } from './redlock-permits.ts'

interface Around {
  readonly line: RedisPermits
  readonly lock: RedlockPermits
  /** It is settled or taken back. */
  readonly over: () => void
}

export class RedlockWait {
  readonly #condition: string
  readonly #call: Call
  readonly #around: Around
  /** The lock that it gives up; null: it has. */
  #held: number | null
  /** In the line; null: not yet, or no longer. */
  #ask: Ask | null = null
  /** What it was granted there. */
  #permit: number | null = null
  /** For the lock. */
  #request: LockRequest | null = null

  constructor(condition: string, call: Call, held: number, around: Around) {
    this.#condition = condition
    this.#call = call
    this.#held = held
    this.#around = around
  }

  begin(): void {
    this.#stand('')
  }

  /** It is to end without having been notified. */
  leave(): void {
    if (this.#ask === null) return
    this.#around.line.withdraw(this.#ask)
    this.#ask = null
    this.#giveUp()
    this.#acquire(false)
  }

  fail(reason: Error): void {
    this.#withdraw()
    this.#call.fail(reason)
  }

  /** @param held `null`: it may have missed a notification, so it is not to wait for one */
  #stand(held: '' | null): void {
    const call = this.#call
    this.#ask = this.#around.line.enter({
      call,
      permits: 1,
      poll: false,
      waiting: { condition: this.#condition, held, leaving: false, begun: (sure) => this.#begun(sure) },
      granted: (permit, notified) => {
        this.#ask = null
        this.#permit = permit
        this.#giveUp()
        this.#acquire(notified)
      },
      failed: (error) => this.fail(error),
    })
    call.waits(() => this.#withdraw())
  }

  /** Only who stands in the line gives the lock up: else a notification could fall in between. */
  #begun(sure: boolean): void {
    this.#giveUp()
    if (sure || this.#ask === null) return
    // It may not stand there, and nobody is to wait for the first master to have the lock.
    this.#around.line.withdraw(this.#ask)
    this.#stand(null)
  }

  #giveUp(): void {
    if (this.#held !== null) this.#around.lock.giveBack(this.#call.session, this.#held, true)
    this.#held = null
  }

  #acquire(notified: boolean): void {
    const { lock, over } = this.#around
    const call = this.#call
    this.#request = {
      call,
      poll: false,
      granted: (token) => {
        over()
        const permit = this.#permit
        if (permit !== null) lock.whenOver(token, (used) => this.#return(permit, used))
        call.ok([token, notified])
      },
      failed: (error) => this.fail(error),
    }
    lock.enter(this.#request)
    call.waits(() => this.#withdraw())
  }

  /** The caller has given up or died, or there is nothing to wait for any more. */
  #withdraw(): void {
    const { line, lock, over } = this.#around
    over()
    if (this.#ask !== null) line.withdraw(this.#ask)
    this.#ask = null
    this.#giveUp()
    if (this.#request !== null) lock.withdraw(this.#request)
    if (this.#permit !== null) this.#return(this.#permit, false)
  }

  /** @param used `false`: the next in line is notified instead */
  #return(permit: number, used: boolean): void {
    this.#around.line.giveBack(this.#call.session, permit, !used)
  }
}
