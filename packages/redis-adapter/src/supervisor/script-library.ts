/** The scripts that this program uses, as the server takes them: taught to it ahead of their first use on each connection. */
import type { Redis } from 'ioredis'
import { assemble, type Loaded } from './script-text.ts'
import type { ScriptOptions } from './surround.ts'

export class ScriptLibrary {
  readonly #client: Redis
  readonly #flags: boolean
  readonly #scripts = new Map<string, Loaded>()

  /** @param flags the server takes `#!lua flags=…` */
  constructor(client: Redis, flags: boolean) {
    this.#client = client
    this.#flags = flags
  }

  /** @param teach whether there is a connection to teach it on */
  load(name: string, options: ScriptOptions, teach: boolean): Loaded {
    const { prelude = '', allowOom = false, readOnly = false, text } = options
    const key = [name, prelude, allowOom, readOnly, text === undefined ? '' : text].join('\n')
    let script = this.#scripts.get(key)
    if (script === undefined) {
      script = assemble(name, options, this.#flags)
      this.#scripts.set(key, script)
      if (teach) this.#teach(script)
    }
    return script
  }

  /** There is a new connection, perhaps to another server. */
  teachAll(): void {
    for (const script of this.#scripts.values()) this.#teach(script)
  }

  /** Ahead of the first use, so that no two calls change places because one had to be sent with its text. */
  #teach({ text }: Loaded): void {
    this.#client.call('SCRIPT', 'LOAD', text).catch(() => {
      // A server that refuses this gets the text with each first call.
    })
  }
}
