/** The scripts of one object whose state is small and on which calls wait, with its keys and what they always ask for filled in. */
import { keyOf, type Script, type ScriptArgument, type Surround, tagOf } from './surround.ts'

/** `named`: it outlives this program; `ours` and `other`: nameless, made by this program or by another one. */
export type Life = 'named' | 'ours' | 'other'

/** `read`: changes nothing; `do`: done at once; `wait`: stands in line if it must; `poll`: does not. */
export type StateMode = 'read' | 'do' | 'wait' | 'poll'

export interface StateQuestion {
  readonly operation: string
  readonly mode: StateMode
  readonly rid: string
  /** Other rids under which the same was asked in the name of sessions that are lost: spaces between. */
  readonly former?: string
  /** The mark that came with its place in line; '' if it has had none. */
  readonly mark?: string
  /** What it waits for, without spaces: for the noun's script, and for those who look. */
  readonly want?: string | undefined
  /** Whom it is for, as JSON. */
  readonly holder?: string
  /** The noun's own. */
  readonly args?: readonly ScriptArgument[] | undefined
}

/** `others` are programs that stand in line, or have not confirmed what they were given. */
export type StateAnswer =
  /** `kept`: until it is confirmed. */
  | { readonly kind: 'answer'; readonly text: string; readonly kept: boolean }
  | { readonly kind: 'waits'; readonly mark: string; readonly others: readonly string[] }
  | { readonly kind: 'none'; readonly others: readonly string[] }
  | { readonly kind: 'shape'; readonly shape: string }
  | { readonly kind: 'gone' }

type Reply = readonly [unknown, readonly string[]]
type Any = Script<readonly ScriptArgument[], Reply>

/** An answer to a request of this program, as a message or beside the caller's own. */
export type StateAnswered = (rid: string, text: string) => void

export class StateCommands {
  readonly #around: Surround
  readonly #tag: string
  readonly #keys: readonly string[]
  readonly #shape: string
  readonly #life: Life
  readonly #answered: StateAnswered
  readonly #read: Any
  readonly #first: Any
  readonly #any: Any

  /** @param script the noun's, in `scripts/` @param shape what all who use it must agree on */
  constructor(
    around: Surround,
    { kind, name, script, shape, life }: { kind: string; name: string; script: string; shape: string; life: Life },
    answered: StateAnswered,
  ) {
    this.#around = around
    this.#tag = tagOf(kind, name)
    this.#shape = shape
    this.#life = life
    this.#answered = answered
    const key = keyOf(around, kind, name)
    this.#keys = ['m', 'q', 'i', 'a'].map((part) => `${key}:${part}`)
    const prelude = '_state'
    const { store } = around
    this.#read = store.script(script, { prelude, readOnly: true })
    this.#first = store.script(script, { prelude })
    this.#any = store.script(script, { prelude, allowOom: true })
  }

  async ask(question: StateQuestion): Promise<StateAnswer> {
    const { operation, mode, rid, former = '', mark = '', want = '-', holder = '', args = [] } = question
    const words = [operation, rid, mode, former, mark, this.#shape, want, holder, ...args]
    // Who has stood in line stays there, however full the store is by now.
    const first = mode === 'wait' && mark === '' && former === ''
    const script = mode === 'read' ? this.#read : first ? this.#first : this.#any
    // What waits is held until the connection is there again, so that it keeps its place among the commands.
    const patience = mode === 'wait' ? { deadline: this.#around.outage } : {}
    const [what, ...rest] = (await this.#run(script, words, patience)) as [string, ...string[]]
    const [head = '', ...more] = rest
    if (what === 'a') return { kind: 'answer', text: head, kept: more[0] === '1' }
    if (what === 'w') return { kind: 'waits', mark: head, others: more }
    if (what === 'n') return { kind: 'none', others: rest }
    return what === 's' ? { kind: 'shape', shape: head } : { kind: 'gone' }
  }

  /** It begins to be there. */
  async make(): Promise<void> {
    await this.#run(this.#any, ['make', this.#shape])
  }

  /** These have heard their answers. */
  async confirm(rids: readonly string[]): Promise<void> {
    await this.#run(this.#any, ['confirm', ...rids])
  }

  /** These no longer want what they have asked for, nor what they have been given. */
  async leave(rids: readonly string[], why: string): Promise<void> {
    await this.#run(this.#any, ['leave', why, ...rids])
  }

  /** Does for dead programs what they cannot do themselves. */
  async reap(sids: readonly string[]): Promise<void> {
    await this.#run(this.#any, ['reap', ...sids])
  }

  /** @param by name of the process that destroys it, for the message to those who wait */
  async destroy(by: string): Promise<void> {
    await this.#run(this.#any, ['destroy', by])
  }

  async #run(script: Any, words: readonly ScriptArgument[], patience: { deadline?: number } = {}): Promise<unknown> {
    const { session, wakes } = this.#around
    const [answer, own] = await script.call(
      this.#keys,
      [session.sid, wakes.prefix, this.#tag, this.#life, ...words],
      patience,
    )
    for (const message of own) {
      const [, rid = '', text = ''] = /^a (\S+) (.*)$/s.exec(message) ?? []
      this.#answered(rid, text)
    }
    return answer
  }
}
