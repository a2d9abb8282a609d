/** A topic's script as typed commands. */
import type { PartySnapshot } from '@skein/core/adapter'
import type { Script, ScriptArgument, Store, Surround } from './surround.ts'

/** So many publications known to have arrived are named in one further one: Redis need not remember them. */
const CONFIRMED = 16

type Reply = readonly [unknown, readonly Buffer[]]
type Any = Script<readonly ScriptArgument[], Reply>

export interface Message {
  readonly serial: number
  readonly bytes: Buffer
}

const scripts = new WeakMap<Store, { readonly publish: Any; readonly other: Any }>()

function scriptsOf(store: Store): { readonly publish: Any; readonly other: Any } {
  let known = scripts.get(store)
  if (known === undefined) {
    known = {
      publish: store.script('topic', { binary: true }),
      other: store.script('topic', { binary: true, allowOom: true }),
    }
    scripts.set(store, known)
  }
  return known
}

export class TopicCommands {
  readonly #around: Surround
  readonly #tag: string
  readonly #keys: readonly string[]
  readonly #told: (letter: string) => void
  readonly #stop: () => void
  #confirmed: string[] = []

  /** @param told of `m`, there are messages, and `x`, it was destroyed */
  constructor(around: Surround, tag: string, told: (letter: string) => void) {
    this.#around = around
    this.#tag = tag
    this.#keys = ['n', 'e', 'l', 'p', 'w'].map((one) => `{${around.namespace}:${tag}}:${one}`)
    this.#told = told
    this.#stop = around.wakes.on(tag, told)
  }

  /** Hears no more messages. */
  stop(): void {
    this.#stop()
  }

  async publish(rid: string, bytes: Uint8Array): Promise<void> {
    const confirmed = this.#confirmed.length < CONFIRMED ? [] : this.#confirmed.splice(0, CONFIRMED)
    try {
      await this.#run('publish', [rid, confirmed.join(' '), bytes])
    } catch (error) {
      this.#confirmed.push(...confirmed)
      throw error
    }
    this.#confirmed.push(rid)
  }

  /** This program listens, for these processes of it. @returns the number of the last message */
  async join(listening: readonly PartySnapshot[]): Promise<number> {
    return Number(String(await this.#run('join', [JSON.stringify(listening)])))
  }

  /** It listens for these from now on, if it does. */
  async listenFor(listening: readonly PartySnapshot[]): Promise<void> {
    await this.#run('who', [JSON.stringify(listening)])
  }

  /** @returns what came after that message, `count` at most; `last`: null if Redis has forgotten */
  async read(after: number, count: number): Promise<{ readonly last: number | null; readonly messages: Message[] }> {
    const [last, ...rest] = (await this.#run('read', [after, count])) as Buffer[]
    const messages = rest.flatMap((bytes, at) =>
      at % 2 === 0 ? [] : [{ serial: Number(String(rest[at - 1])), bytes }],
    )
    return { last: String(last) === '' ? null : Number(String(last)), messages }
  }

  /** This program listens no longer. */
  async leave(): Promise<void> {
    await this.#run('leave')
  }

  async destroy(): Promise<void> {
    await this.#run('destroy')
  }

  async #run(operation: string, args: readonly ScriptArgument[] = []): Promise<unknown> {
    const { store, session, wakes } = this.#around
    const { publish, other } = scriptsOf(store)
    const script = operation === 'publish' ? publish : other
    const [answer, own] = await script.call(this.#keys, [operation, session.sid, wakes.prefix, this.#tag, ...args])
    if (operation !== 'destroy') for (const letter of own) this.#told(letter.toString())
    return answer
  }
}
