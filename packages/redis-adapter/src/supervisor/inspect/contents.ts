/** What an object's keys hold, read in one step, and who the requests in it belong to. */
import type { PartySnapshot } from '@skein/core/adapter'
import { keyOf, type Script, type Surround } from '../surround.ts'

/** `h` a hash, `l` a list, `z` a sorted set's members, `n` how many. */
type How = 'h' | 'l' | 'z' | 'n'

/** Parts of an object's keys, each with how it is read: `h:m` is the hash `…:m`. */
export type Part = `${How}:${string}`

export class Contents {
  readonly #parts: ReadonlyMap<Part, unknown>

  constructor(parts: ReadonlyMap<Part, unknown>) {
    this.#parts = parts
  }

  hash(part: `h:${string}`): Map<string, string> {
    const flat = this.#parts.get(part) as readonly string[]
    const pairs = new Map<string, string>()
    for (let at = 0; at < flat.length; at += 2) pairs.set(flat[at] as string, flat[at + 1] as string)
    return pairs
  }

  list(part: `l:${string}` | `z:${string}`): readonly string[] {
    return this.#parts.get(part) as readonly string[]
  }

  count(part: `n:${string}`): number {
    return this.#parts.get(part) as number
  }
}

export class ContentReader {
  readonly #around: Surround
  readonly #script: Script<readonly string[], unknown[]>

  constructor(around: Surround) {
    this.#around = around
    this.#script = around.store.script('inspect', { readOnly: true })
  }

  async read(kind: string, name: string, parts: readonly Part[]): Promise<Contents> {
    const key = keyOf(this.#around, kind, name)
    const keys = parts.map((part) => `${key}:${part.slice(2)}`)
    const how = parts.map((part) => part.slice(0, 1))
    const values = await this.#script.call(keys, how)
    return new Contents(new Map(parts.map((part, at) => [part, values[at]])))
  }
}

export const nobody: PartySnapshot = { process: null, name: null, pid: null, host: null }

/** From the JSON that a request leaves behind of whom it is for. */
export function partyIn(json: string): PartySnapshot {
  return partyFrom(JSON.parse(json) as Partial<PartySnapshot>)
}

/** As `partyIn`, of several. */
export function partiesIn(json: string): PartySnapshot[] {
  return (JSON.parse(json) as Partial<PartySnapshot>[]).map(partyFrom)
}

function partyFrom({ process = null, name = null, pid = null, host = null }: Partial<PartySnapshot>): PartySnapshot {
  return { process, name, pid, host }
}

export function sidOf(rid: string): string {
  return rid.slice(0, rid.indexOf('/'))
}
