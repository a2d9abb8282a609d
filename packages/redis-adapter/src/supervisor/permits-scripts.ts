/** One lock's or semaphore's scripts, with its keys and what they always ask for filled in. */
import type { ObjectKind } from '@skein/core/adapter'
import { keyOf, type Script, type Surround, tagOf } from './surround.ts'

/** Whom a grant is for, as `holder()` shows it: kept as JSON beside the grant. */
export interface Holder {
  readonly process: string
  readonly name: string
  readonly pid: number
  readonly host: string
}

/** How many permits are free, and the oldest grant. */
export interface Look {
  readonly free: number
  readonly sid: string
  readonly permits: number
  readonly holder: (Holder & { readonly token: number }) | null
}

export type AcquireAnswer =
  | { readonly kind: 'granted'; readonly token: number }
  /** In line behind programs of these sids (`waits`), or not in line for their sake (`busy`). */
  | { readonly kind: 'waits' | 'busy'; readonly sids: readonly string[] }
  /** The same name exists with so many permits; 0: with permits that belong to nobody. */
  | { readonly kind: 'conflict'; readonly permits: number }

/** A day: as long as a fence, after which nobody can tell the object from a new one. */
const KEEP_SHAPE = 86_400_000

type AcquireScript = Script<[string, number, number, string, 'wait' | 'poll', number], string[]>

export class PermitScripts {
  readonly tag: string
  readonly #keys: readonly string[]
  readonly #total: number
  readonly #keep: number
  readonly #around: Surround
  readonly #acquire: AcquireScript
  readonly #again: AcquireScript
  readonly #drop: Script<(string | number)[], number[]>
  readonly #reap: Script<(string | number)[], number>
  readonly #look: Script<[], [number, string, string]>
  readonly #destroy: Script<[string, string, string], number>

  constructor(kind: ObjectKind, name: string, total: number, around: Surround) {
    const key = keyOf(around, kind, name)
    this.tag = tagOf(kind, name)
    this.#keys = ['h', 'w', 'n', 'f', 'm'].map((part) => `${key}:${part}`)
    this.#total = total
    this.#around = around
    const anonymous = name.startsWith('~')
    this.#keep = kind !== 'semaphore' ? 0 : anonymous ? -1 : KEEP_SHAPE
    const prelude = '_permits'
    this.#acquire = around.store.script('permits-acquire', { prelude })
    this.#again = around.store.script('permits-acquire', { prelude, allowOom: true })
    this.#drop = around.store.script('permits-drop', { prelude, allowOom: true })
    this.#reap = around.store.script('permits-reap', { prelude, allowOom: true })
    this.#look = around.store.script('permits-look', { prelude, readOnly: true })
    this.#destroy = around.store.script('permits-destroy', { prelude, allowOom: true })
  }

  /**
   * Asks for permits. Asked again with the same id, it says what has become of the first time.
   *
   * @param how `again`: it stands in line, and a store that is full by now is no reason to leave it
   */
  async acquire(rid: string, permits: number, holder: Holder, how: 'wait' | 'again' | 'poll'): Promise<AcquireAnswer> {
    const json = JSON.stringify(holder)
    const mode = how === 'poll' ? 'poll' : 'wait'
    const script = how === 'again' ? this.#again : this.#acquire
    const [what, ...rest] = await script.call(this.#keys, [rid, permits, this.#total, json, mode, this.#keep])
    if (what === 'g') return { kind: 'granted', token: Number(rest[0]) }
    if (what === 'c') return { kind: 'conflict', permits: Number(rest[0]) }
    return { kind: what === 'w' ? 'waits' : 'busy', sids: rest }
  }

  /** Gives back what these requests hold, or takes them out of the line. For each whether it held something. */
  async drop(rids: readonly string[]): Promise<boolean[]> {
    const done = await this.#drop.call(this.#keys, [...this.#serving, ...rids])
    return done.map((what) => what === 1)
  }

  /** Does for dead programs what they cannot do themselves. How many holdings and places in line went. */
  reap(sids: readonly string[]): Promise<number> {
    return this.#reap.call(this.#keys, [...this.#serving, ...sids])
  }

  async look(): Promise<Look> {
    const [used, rid, what] = await this.#look.call(this.#keys, [])
    const free = this.#total - used
    const parts = /^(\d+) (\d+) (.*)$/s.exec(what)
    if (parts === null) return { free, sid: '', permits: 0, holder: null }
    const [, permits, token, json = ''] = parts
    const holder = { ...(JSON.parse(json) as Holder), token: Number(token) }
    return { free, sid: rid.slice(0, rid.indexOf('/')), permits: Number(permits), holder }
  }

  /** @param by name of the process that destroys it, for the message to those who hold or wait */
  destroy(by: string): Promise<number> {
    const { wakes, session } = this.#around
    return this.#destroy.call(this.#keys, [wakes.prefix, this.tag, `${session.sid} ${by}`])
  }

  get #serving(): [number, string, string] {
    return [this.#total, this.#around.wakes.prefix, this.tag]
  }
}
