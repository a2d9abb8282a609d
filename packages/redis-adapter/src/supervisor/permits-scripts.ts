/** One lock's or semaphore's scripts, with its keys and what they always ask for filled in. */
import type { ObjectKind, ProcessInfo } from '@skein/core/adapter'
import { keyOf, type Script, type Store, type Surround, tagOf } from './surround.ts'

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
  | { readonly kind: 'granted'; readonly token: number; readonly notified: boolean }
  /** In line behind programs of these sids (`waits`), or not in line for their sake (`busy`). */
  | { readonly kind: 'waits' | 'busy'; readonly sids: readonly string[] }
  /** The same name exists with so many permits; 0: with permits that belong to nobody. */
  | { readonly kind: 'conflict'; readonly permits: number }
  /** What it was to give back was not there. */
  | { readonly kind: 'lost' }

/** How permits are asked for. */
export interface AskMode {
  /** `leave`: out of the line of a condition. */
  readonly mode: 'wait' | 'poll' | 'leave'
  /** It stands in line, and a store that is full by now is no reason to leave it. */
  readonly again: boolean
}

/** A day: as long as a fence, after which nobody can tell the object from a new one. */
const KEEP_SHAPE = 86_400_000

type AcquireScript = Script<[string, number, number, string, AskMode['mode'], number], (string | null)[]>

const texts = new WeakMap<ProcessInfo, string>()

/** A `Holder` in JSON: of one process the same for each grant. */
function holderText(holding: ProcessInfo): string {
  let text = texts.get(holding)
  if (text === undefined) {
    const { id, name, pid, host } = holding
    text = JSON.stringify({ process: id, name, pid, host } satisfies Holder)
    texts.set(holding, text)
  }
  return text
}

export class PermitScripts {
  readonly tag: string
  readonly #keys: readonly string[]
  readonly #total: number
  readonly #keep: number
  readonly #around: Surround
  readonly #acquire: AcquireScript
  readonly #again: AcquireScript
  readonly #wait: Script<(string | number)[], (string | null)[]>
  readonly #notify: Script<(string | number)[], number>
  readonly #endCondition: Script<[string, string, string, string], number>
  readonly #drop: Script<(string | number)[], string[]>
  readonly #reap: Script<(string | number)[], number>
  readonly #look: Script<[], [number, string, string]>
  readonly #destroy: Script<[string, string, string], number>

  constructor(kind: ObjectKind, name: string, total: number, around: Surround) {
    const key = keyOf(around, kind, name)
    this.tag = tagOf(kind, name)
    this.#keys = ['h', 'w', 'n', 'f', 'm', 'c', 'd'].map((part) => `${key}:${part}`)
    this.#total = total
    this.#around = around
    const anonymous = name.startsWith('~')
    this.#keep = kind !== 'semaphore' ? 0 : anonymous ? -1 : KEEP_SHAPE
    const prelude = '_permits'
    this.#acquire = around.store.script('permits-acquire', { prelude })
    this.#again = around.store.script('permits-acquire', { prelude, allowOom: true })
    this.#wait = around.store.script('condition-wait', { prelude, allowOom: true })
    this.#notify = around.store.script('condition-notify', { prelude, allowOom: true })
    this.#endCondition = around.store.script('condition-destroy', { prelude, allowOom: true })
    this.#drop = around.store.script('permits-drop', { prelude, allowOom: true })
    this.#reap = around.store.script('permits-reap', { prelude, allowOom: true })
    this.#look = around.store.script('permits-look', { prelude, readOnly: true })
    this.#destroy = around.store.script('permits-destroy', { prelude, allowOom: true })
  }

  /** Of where its keys are. */
  get state(): Store['state'] {
    return this.#around.store.partOf(this.#keys[0] as string).state
  }

  /** Asks for permits. Asked again with the same id, it says what has become of the first time. */
  async acquire(rid: string, permits: number, process: ProcessInfo, { mode, again }: AskMode): Promise<AcquireAnswer> {
    const script = again ? this.#again : this.#acquire
    return read(await script.call(this.#keys, [rid, permits, this.#total, holderText(process), mode, this.#keep]))
  }

  /** Gives back the grant of that id, and waits in a condition for as many permits again. */
  async wait(
    rid: string,
    permits: number,
    process: ProcessInfo,
    condition: string,
    held: string,
  ): Promise<AcquireAnswer> {
    const args = [rid, condition, held, permits, holderText(process), ...this.#serving]
    return read(await this.#wait.call(this.#keys, args))
  }

  /** Notifies the first `count` in a condition. `false`: nothing is granted under `held`. @param rid its last number counts */
  async notify(condition: string, count: number, held: string, rid: string): Promise<boolean> {
    const number = rid.slice(rid.lastIndexOf('/') + 1)
    return (await this.#notify.call(this.#keys, [condition, count, held, number, ...this.#serving])) === 1
  }

  async endCondition(condition: string, tag: string, by: string): Promise<void> {
    const { wakes, session } = this.#around
    await this.#endCondition.call(this.#keys, [condition, wakes.prefix, tag, `${session.sid} ${by}`])
  }

  /**
   * Gives back what these requests hold, or takes them out of the line; a `!` before an id: see the script. What was granted by it to
   * requests of this program, as messages tell of it: "id token", and " n" if it was notified.
   */
  drop(rids: readonly string[]): Promise<string[]> {
    return this.#drop.call(this.#keys, [...this.#serving, ...rids])
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

function read([what, ...rest]: readonly (string | null)[]): AcquireAnswer {
  const [first, second] = rest
  if (what === 'g') return { kind: 'granted', token: Number(first), notified: second === 'n' }
  if (what === 'c') return { kind: 'conflict', permits: Number(first) }
  if (what === 'l') return { kind: 'lost' }
  return { kind: what === 'w' ? 'waits' : 'busy', sids: rest as string[] }
}
