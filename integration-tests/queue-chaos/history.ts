/** What the programs of a chaos run wrote, and what is wrong with it. */

interface Delivery {
  readonly who: string
  readonly attempt: number
}

export interface Verdict {
  readonly put: number
  readonly handled: number
  readonly redeliveries: number
  /** Of these, how many followed a kill of who had the item, or of somebody who had it and had not yet said so. */
  readonly explained: number
  readonly violations: readonly string[]
}

export class History {
  /** Who knows the queue. */
  readonly ready: Set<string> = new Set()
  readonly #put = new Set<string>()
  readonly #deliveries = new Map<string, Delivery[]>()
  readonly #acked = new Map<string, string>()
  readonly #violations: string[] = []
  /** Per consumer and producer, the last serial that came for the first time. */
  readonly #last = new Map<string, number>()

  add(line: string): void {
    const [what = '', who = '', first = '', second = '', third = ''] = line.split(' ')
    if (what === 'R') this.ready.add(who)
    else if (what === 'P') this.#put.add(`${who} ${first}`)
    else if (what === 'D') this.#delivered(who, first, Number(second), Number(third))
    else if (what === 'A') this.#acked.set(`${first} ${second}`, who)
    else if (what === 'L') this.#violations.push(`${who} lived and lost ${first} ${second}`)
    else if (what === 'X') this.#violations.push(line)
  }

  get put(): number {
    return this.#put.size
  }

  #delivered(who: string, producer: string, serial: number, attempt: number): void {
    const item = `${producer} ${serial}`
    const all = this.#deliveries.get(item) ?? []
    this.#deliveries.set(item, all)
    const done = this.#acked.get(item)
    if (done !== undefined) this.#violations.push(`${item} came to ${who} after ${done} had acknowledged it`)
    all.push({ who, attempt })
    if (attempt !== 1) return
    const key = `${who} ${producer}`
    const last = this.#last.get(key) ?? -1
    if (serial <= last) this.#violations.push(`${item} came to ${who} for the first time after ${producer} ${last}`)
    this.#last.set(key, Math.max(last, serial))
  }

  /** @param killed everybody who was killed */
  verdict(killed: ReadonlySet<string>): Verdict {
    const violations = [...this.#violations]
    let redeliveries = 0
    let explained = 0
    let unsaid = 0
    for (const item of this.#put) if (!this.#deliveries.has(item)) violations.push(`${item} was put and never came`)
    for (const [item, all] of this.#deliveries) {
      const last = all.at(-1)
      if (last !== undefined && this.#acked.get(item) !== last.who && !killed.has(last.who))
        violations.push(`${item} was left with ${last.who}`)
      for (const [index, { attempt, who }] of all.entries()) {
        const before = all[index - 1]
        const earlier = attempt - 1 - (before?.attempt ?? 0)
        redeliveries += attempt - (before?.attempt ?? 0) - (before === undefined ? 1 : 0)
        // Who had it in between was killed before it could write a line.
        unsaid += earlier
        explained += earlier
        if (before === undefined) continue
        if (killed.has(before.who)) explained += 1
        else violations.push(`${item} came to ${who} although ${before.who}, who had it, lived`)
      }
    }
    // One that is killed has at most as many items as it runs bodies, and its supervisor those it has just been given.
    if (unsaid > killed.size * 8)
      violations.push(`${unsaid} deliveries that nobody wrote of, with ${killed.size} kills`)
    return { put: this.#put.size, handled: this.#acked.size, redeliveries, explained, violations }
  }
}
