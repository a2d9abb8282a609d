/** What a history of one lock must not show. The order of its lines is the order in which they were written, by all processes together. */
import type { Contender } from './arena.ts'

export interface Verdict {
  /** One sentence each. */
  readonly violations: readonly string[]
  /** Grants of each flow, `<pid> <flow>`. */
  readonly grants: ReadonlyMap<string, number>
  /** Leases whose holders were told of their loss. */
  readonly losses: number
}

type Side = 'read' | 'write'

/**
 * - Tokens rise from grant to grant, whatever happens to the store; only neighbours that read together may be heard of in another order.
 * - Nobody writes a line after a higher token was granted, or who reads after a higher one was granted to write. Excused is the one line of
 *   a process that was stopped between its last look at the lease and the writing, which no lock can prevent, and which a resource refuses
 *   by the token.
 * - Nobody is refused.
 */
export class History {
  /** Highest token of all who came to write, and of all. */
  readonly #highest: Record<Side, number> = { read: 0, write: 0 }
  readonly #tokens = new Set<number>()
  #inside = ''
  #losses = 0
  readonly #violations: string[] = []
  readonly #grants = new Map<string, number>()
  /** Stopped, and not heard of since. */
  readonly #stopped = new Set<string>()
  /** After the store was emptied its holders are told a little later, so for a while tokens alone keep them apart. */
  #amnesty = false

  line(text: string): void {
    const [what = '', pid = '', flow = '', ...more] = text.split(' ')
    if (what === 'S') this.#stopped.add(pid)
    else if (what === 'A') this.#amnesty = pid === 'on'
    else if (what === 'X') this.#violations.push(`flow ${flow} of ${pid} was refused: ${more.join(' ')}`)
    else this.#written(what, pid, `${pid} ${flow}`, Number(more[0]), more[1] as Side)
  }

  get verdict(): Verdict {
    return { violations: this.#violations, grants: this.#grants, losses: this.#losses }
  }

  /** The process that has written that it holds the lock, and not yet that it leaves; '': none. */
  get inside(): string {
    return this.#inside
  }

  #written(what: string, pid: string, flow: string, token: number, side: Side): void {
    if (what === 'E') this.#inside = pid
    else if (what !== 'W' && this.#inside === pid) this.#inside = ''
    if (what === 'G') {
      this.#losses += 1
      this.#stopped.delete(pid)
      return
    }
    const excused = this.#stopped.delete(pid)
    const highest = side === 'read' ? this.#highest.write : Math.max(this.#highest.read, this.#highest.write)
    if (token < highest && !excused && !(this.#amnesty && what !== 'E')) {
      const did = what === 'E' ? 'was granted' : 'wrote under'
      this.#violations.push(`${flow} ${did} ${token} to ${side} after ${highest} was granted`)
    }
    if (what !== 'E') return
    if (this.#tokens.has(token)) this.#violations.push(`${flow} was granted ${token}, as somebody was before`)
    this.#tokens.add(token)
    this.#grants.set(flow, (this.#grants.get(flow) ?? 0) + 1)
    this.#highest[side] = Math.max(this.#highest[side], token)
  }
}

/** What each flow of these programs has got since. */
export function shares(
  now: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  programs: readonly Contender[],
): { readonly flows: number; readonly least: number; readonly index: number } {
  const pids = new Set(programs.flatMap(({ pid, children }) => [pid, ...children]).map(String))
  const counts = [...now]
    .filter(([flow]) => pids.has(flow.slice(0, flow.indexOf(' '))))
    .map(([flow, count]) => count - (before.get(flow) ?? 0))
  return { flows: counts.length, least: Math.min(...counts), index: fairness(counts) }
}

/** Jain's index: 1 if all have the same, 1/n if one has all. */
function fairness(counts: readonly number[]): number {
  const sum = counts.reduce((all, one) => all + one, 0)
  const squares = counts.reduce((all, one) => all + one * one, 0)
  return squares === 0 ? 0 : (sum * sum) / (counts.length * squares)
}
