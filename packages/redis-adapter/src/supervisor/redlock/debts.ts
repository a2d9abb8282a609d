/**
 * What a master must be told and may not have heard: a vote that is given back, a place in the line that is given up. It is told again as
 * soon as there is a connection. Else what is nobody's would stand in everybody's way until its time is over.
 */
import { monotonic } from '@skein/core/adapter'
import type { Redis } from 'ioredis'

interface Debt {
  readonly until: number
  readonly pay: () => Promise<unknown>
}

export class Debts {
  readonly #owed = new Map<Redis, Set<Debt>>()
  readonly #lasts: number

  /** @param lasts ms after which everything has run out by itself */
  constructor(masters: readonly Redis[], lasts: number) {
    this.#lasts = lasts
    for (const master of masters) {
      this.#owed.set(master, new Set())
      master.on('ready', () => {
        for (const debt of this.#of(master)) void this.#pay(master, debt)
      })
    }
  }

  /** Tells it now, and again if that fails. To a master that stands still it is on its way then, behind all else that it has not read yet. */
  owe(master: Redis, pay: () => Promise<unknown>): void {
    const debt = { until: monotonic() + this.#lasts, pay }
    this.#of(master).add(debt)
    if (master.status === 'ready') void this.#pay(master, debt)
  }

  async #pay(master: Redis, debt: Debt): Promise<void> {
    try {
      await debt.pay()
      this.#owed.get(master)?.delete(debt)
    } catch {
      // Kept for the next connection.
    }
  }

  #of(master: Redis): Set<Debt> {
    const owed = this.#owed.get(master) ?? new Set()
    for (const debt of owed) if (debt.until < monotonic()) owed.delete(debt)
    return owed
  }
}
