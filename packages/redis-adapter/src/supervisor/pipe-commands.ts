/** A pipe's scripts as typed commands. */
import { Buffer } from 'node:buffer'
import type { End } from '@skein/core/adapter'
import type { Script, ScriptArgument, Store, Surround } from './surround.ts'

export type RecvAnswer =
  | { readonly kind: 'message'; readonly data: Buffer }
  /** `other` is the program at the other end, if it is known. */
  | { readonly kind: 'none' | 'waits'; readonly other: string | null }
  | { readonly kind: 'end' }
  | { readonly kind: 'closed' }

type Reply = readonly [unknown, readonly Buffer[]]
/** Messages known to have arrived that are named in one further sending: Redis need not remember them. */
const CONFIRMED = 64

type Any = Script<readonly ScriptArgument[], Reply>

const scripts = new WeakMap<Store, { readonly send: Any; readonly other: Any }>()

function scriptsOf(store: Store): { readonly send: Any; readonly other: Any } {
  let known = scripts.get(store)
  if (known === undefined) {
    known = {
      send: store.script('pipe-send', { prelude: '_pipe', binary: true }),
      other: store.script('pipe-do', { prelude: '_pipe', binary: true, allowOom: true }),
    }
    scripts.set(store, known)
  }
  return known
}

export class PipeCommands {
  readonly #around: Surround
  readonly #tag: string
  readonly #keys: readonly string[]
  readonly #told: (rid: string) => void
  readonly #stop: () => void
  #confirmed: string[] = []

  constructor(around: Surround, key: string, told: (rid: string) => void) {
    this.#around = around
    this.#tag = key
    const base = `{${around.namespace}:${key}}`
    this.#keys = ['e', '0', '1', 'h0', 'h1', 'w0', 'w1'].map((one) => `${base}:${one}`)
    this.#told = told
    this.#stop = around.wakes.on(key, (_letter, rid) => told(rid))
  }

  stop(): void {
    this.#stop()
  }

  /** @param rid the message's own: sent again, it is the same message. @returns 'broken': nobody will receive it */
  async send(end: End, process: string, rid: string, bytes: Uint8Array): Promise<'sent' | 'broken' | 'closed'> {
    const confirmed = this.#confirmed.splice(0, CONFIRMED)
    let answer
    try {
      answer = await this.#run('send', [end, process, rid, bytes, confirmed.join(' ')], true)
    } catch (error) {
      this.#confirmed.push(...confirmed)
      throw error
    }
    if (answer === 1) {
      this.#confirmed.push(rid)
      return 'sent'
    }
    return answer === -1 ? 'broken' : 'closed'
  }

  async recv(end: End, process: string, rid: string, poll: boolean): Promise<RecvAnswer> {
    const [what, more] = (await this.#run(
      'other',
      ['recv', end, process, rid, poll ? 'poll' : 'wait'],
      !poll,
    )) as unknown[]
    if (what === 1) return { kind: 'message', data: more as Buffer }
    const other = more instanceof Buffer ? more.toString() : null
    if (what === 0) return { kind: 'none', other }
    const letter = String(what)
    if (letter === 'w') return { kind: 'waits', other }
    return letter === 'e' ? { kind: 'end' } : { kind: 'closed' }
  }

  /** These were handed out. */
  async taken(end: End, rids: readonly string[]): Promise<void> {
    await this.#run('other', ['taken', end, ...rids])
  }

  /** These were not; also gives up places in line. @param rids newest first */
  async back(end: End, rids: readonly string[]): Promise<void> {
    await this.#run('other', ['back', end, ...rids])
  }

  /** @param make the pipe begins here */
  async use(end: End, process: string, make: boolean): Promise<void> {
    await this.#run('other', ['use', end, process, make ? '1' : '0'])
  }

  async close(end: End): Promise<void> {
    await this.#run('other', ['close', end])
  }

  /** Closes the ends that these used last. @param gone sids or processes */
  async reap(gone: readonly string[]): Promise<void> {
    await this.#run('other', ['reap', 0, ...gone])
  }

  async destroy(): Promise<void> {
    await this.#run('other', ['destroy', 0])
  }

  /** @param waits it is held until the connection is there again, so that it keeps its place among the commands */
  async #run(which: 'send' | 'other', args: readonly ScriptArgument[], waits = false): Promise<unknown> {
    const { store, session, wakes, outage } = this.#around
    const all = [session.sid, wakes.prefix, this.#tag, ...args]
    const [answer, own] = await scriptsOf(store)[which].call(this.#keys, all, waits ? { deadline: outage } : {})
    for (const wake of own) this.#told(wake.toString().slice(2))
    return answer
  }
}
