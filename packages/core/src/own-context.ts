/** The context that a child belongs to. The program may close it; what runs on afterwards gets another one over the same link. */
import { decode } from './codec/index.ts'
import { AdapterContext } from './context.ts'
import type { Adapter } from './contract/adapter.ts'
import type { Context } from './contract/context.ts'
import { type ChildHome, noteOpen } from './current-process.ts'

export class OwnContext implements ChildHome {
  readonly namespace: string
  readonly place: string
  readonly #connect: () => Adapter
  readonly #daemon: boolean
  #adapter: Adapter
  #context: AdapterContext
  /** Resolves when the contexts before the present one are closed. */
  #before: Promise<unknown> = Promise.resolve()

  constructor(connect: () => Adapter, place: string, daemon: boolean) {
    this.place = place
    this.#connect = connect
    this.#daemon = daemon
    this.#adapter = connect()
    this.namespace = this.#adapter.namespace
    this.#context = new AdapterContext(this.#adapter, daemon)
    noteOpen(this.#context)
  }

  get lost(): boolean {
    return this.#adapter.state === 'lost'
  }

  context(): Context {
    if (!this.#context.closing) return this.#context
    this.#before = Promise.all([this.#before, this.#context.close()])
    this.#adapter = this.#connect()
    this.#context = new AdapterContext(this.#adapter, this.#daemon)
    noteOpen(this.#context)
    return this.#context
  }

  /** A value with handles in it, which belong to the present context. */
  decode(bytes: Uint8Array): unknown {
    this.context()
    return decode(bytes, (ref) => this.#adapter.attach(ref))
  }

  async close(): Promise<void> {
    await Promise.all([this.#before, this.#context.close()])
  }
}
