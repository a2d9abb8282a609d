/** The scripts of shared state as typed commands. */
import { type ObjectKind, PAGE_BYTES, PAGE_ITEMS, TURN } from '@skein/core/adapter'
import { keyOf, type Script, type ScriptArgument, type Surround, tagOf } from './surround.ts'

/** What the creator gave. */
export interface Seed {
  readonly one: string | null
  readonly items: readonly string[]
}

export type Answer = { readonly kind: 'ok'; readonly value: unknown } | { readonly kind: 'busy' | 'gone' }

/** Answers known to have arrived that are named in one further write: Redis need not remember them. */
const HEARD = 64

/** A turn's keys, which its own scripts write. */
const TURN_KEYS = ['h', 'w', 'n', 'f']

type Any<R> = Script<readonly ScriptArgument[], R>
type Reply = readonly [outcome: number, value?: unknown]

/** What frees memory works on a full store. */
const freeing: ReadonlySet<string> = new Set(['delete', 'pop', 'clear', 'last', 'first', 'remove'])

function answerOf([outcome, value]: Reply): Answer {
  if (outcome === 1) return { kind: 'ok', value: value ?? null }
  return { kind: outcome === 0 ? 'busy' : 'gone' }
}

export class SharedCommands {
  readonly tag: string
  readonly #around: Surround
  readonly #keys: readonly string[]
  readonly #turnKeys: readonly string[]
  readonly #channel: string
  readonly #open: Any<readonly string[]>
  readonly #read: Any<Reply>
  readonly #write: Any<Reply>
  readonly #free: Any<Reply>
  readonly #ordered: '0' | '1'
  readonly #destroy: Any<number>
  #heard: string[] = []

  constructor(kind: ObjectKind, name: string, around: Surround) {
    const key = keyOf(around, kind, name)
    this.tag = tagOf(kind, name)
    this.#around = around
    this.#ordered = kind === 'dict' ? '1' : '0'
    this.#keys = ['s', 'd', 'k', 'r', 'q'].map((part) => `${key}:${part}`)
    this.#turnKeys = TURN_KEYS.map((part) => `${key}:${part}`)
    this.#channel = name.startsWith('~') ? '' : `${around.namespace}:all`
    const prelude = '_shared'
    const { store } = around
    this.#open = store.script('shared-open', { prelude })
    this.#read = store.script('shared-read', { prelude, readOnly: true })
    this.#write = store.script('shared-write', { prelude })
    this.#free = store.script('shared-write', { prelude, allowOom: true })
    this.#destroy = store.script('shared-destroy', { allowOom: true })
  }

  /**
   * Finds the object, or makes it.
   *
   * @param id which a new one gets
   * @param seed `null`: it is not made
   */
  async open(
    id: string,
    length: number | null,
    seed: Seed | null,
  ): Promise<{ id: string; length: number | null } | null> {
    const args = [id, seed === null ? '0' : '1', length ?? '', seed?.one ?? '', ...(seed?.items ?? [])]
    const [found, size] = await this.#open.call(this.#all, args)
    if (found === undefined || size === undefined) return null
    return { id: found, length: size === '' ? null : Number(size) }
  }

  async read(id: string, operation: string, args: readonly ScriptArgument[]): Promise<Answer> {
    return answerOf(await this.#read.call(this.#all, [id, PAGE_ITEMS, PAGE_BYTES, operation, ...args]))
  }

  /** @param rid the write's own: sent again, it is the same write */
  async write(
    id: string,
    rid: string,
    turn: number,
    operation: string,
    args: readonly ScriptArgument[],
  ): Promise<Answer> {
    const heard = this.#heard.splice(0, HEARD)
    let reply: Reply
    try {
      const all = [id, rid, heard.join(' '), turn, TURN * 1_000, this.#ordered, operation, ...args]
      const script = freeing.has(operation) ? this.#free : this.#write
      reply = await script.call(this.#all, all)
    } catch (error) {
      this.#heard.push(...heard)
      throw error
    }
    this.#heard.push(rid)
    return answerOf(reply)
  }

  /** @param by name of the process that destroys it, for the message to those who use it */
  async destroy(id: string, by: string): Promise<void> {
    const { wakes, session } = this.#around
    const args = [id, wakes.prefix, this.tag, `${session.sid} ${by}`, this.#channel]
    await this.#destroy.call([...this.#keys, ...this.#turnKeys], args)
  }

  get #all(): readonly string[] {
    return [...this.#keys, this.#turnKeys[0] as string]
  }
}
