/**
 * A fence that a majority of masters agrees on. First each master that holds the value proposes one above all that it knows; the
 * highest of a majority is then written to a majority. The next holder asks a majority, too, so at least one master shows it the
 * last fence; the clock in the proposals stands in for masters that came back empty.
 */
import type { Redis } from 'ioredis'
import { firstOf, MasterScript } from './master-script.ts'

/** Who holds, as `holder()` shows it. */
export interface FencedHolder {
  readonly process: string
  readonly name: string
  readonly pid: number
  readonly host: string
}

export interface QuorumView {
  /** A majority holds one value. */
  readonly held: boolean
  /** Who that is, as far as a master has been told. */
  readonly holder: (FencedHolder & { readonly token: number }) | null
}

export class QuorumFence {
  readonly #masters: readonly Redis[]
  readonly #majority: number
  readonly #script = new MasterScript<string>('fence')

  constructor(masters: readonly Redis[]) {
    this.#masters = masters
    this.#majority = Math.floor(masters.length / 2) + 1
  }

  /** The fence of a grant, or `null` if no majority holds the value any more. Whether its time is over is the caller's to check. */
  async of(key: string, value: string, holder: FencedHolder): Promise<number | null> {
    const proposed = await this.#ask(key, [value, '0', ''])
    if (proposed === null) return null
    const fence = Math.max(...proposed)
    const written = await this.#ask(key, [value, fence.toFixed(0), JSON.stringify(holder)])
    return written === null ? null : fence
  }

  /** @returns null when no majority answers */
  async look(key: string): Promise<QuorumView | null> {
    const each = this.#masters.map((master) => master.mget(key, `${key}:f`))
    const answers = await firstOf(this.#majority, each)
    if (answers === null) return null
    // Those that are slower may be the ones that hold it.
    const late = await Promise.allSettled(each)
    const all = late.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const values = all.map(([value]) => value).filter((value) => typeof value === 'string')
    const common = values.find((value) => values.filter((other) => other === value).length >= this.#majority)
    if (common === undefined) return { held: false, holder: null }
    for (const [, note] of all) {
      const [, value = '', fence = '', ...json] = (note ?? '').split(' ')
      if (value !== common) continue
      return { held: true, holder: { ...(JSON.parse(json.join(' ')) as FencedHolder), token: Number(fence) } }
    }
    return { held: true, holder: null }
  }

  async #ask(key: string, args: readonly [string, string, string]): Promise<number[] | null> {
    const answers = this.#masters.map(async (master) => {
      const fence = Number(await this.#script.call(master, [key, `${key}:f`], args))
      if (fence < 0) throw new Error('this master does not hold the value')
      return fence
    })
    return firstOf(this.#majority, answers)
  }
}
