/**
 * A call of a script as the client sends it, in the protocol of Redis (RESP 2). What is the same for each call of one script on one object,
 * its digest and its keys, is written once.
 */
import { Command } from 'ioredis'
import type { Loaded } from './script-text.ts'
import type { ScriptArgument } from './surround.ts'

/** A script and the keys that it is called with, all but the beginning of a command written. */
export interface ScriptHead {
  readonly script: Loaded
  readonly keys: readonly string[]
  /** How many words it has. */
  readonly length: number
  readonly text: string
}

export function headOf(script: Loaded, keys: readonly string[]): ScriptHead {
  const words = ['EVALSHA', script.sha, String(keys.length), ...keys]
  return { script, keys, length: words.length, text: words.map(wordText).join('') }
}

/** The same call with the script's text, for a server that does not know its digest. */
export function headWithText({ script: { text }, keys }: ScriptHead): Pick<ScriptHead, 'length' | 'text'> {
  const words = ['EVAL', text, String(keys.length), ...keys]
  return { length: words.length, text: words.map(wordText).join('') }
}

function wordText(word: string): string {
  return `$${Buffer.byteLength(word)}\r\n${word}\r\n`
}

export class ScriptCommand extends Command {
  readonly #head: Pick<ScriptHead, 'length' | 'text'>
  readonly #args: readonly ScriptArgument[]

  /** @param binary the answer is wanted in bytes */
  constructor(head: Pick<ScriptHead, 'length' | 'text'>, args: readonly ScriptArgument[], binary: boolean) {
    super('EVALSHA', [], { replyEncoding: binary ? null : 'utf8' })
    this.#head = head
    this.#args = args
  }

  override toWritable(): string | Buffer {
    const { length, text } = this.#head
    let written = `*${length + this.#args.length}\r\n${text}`
    let parts: Uint8Array[] | null = null
    for (const arg of this.#args) {
      if (typeof arg !== 'object') {
        written += wordText(String(arg))
        continue
      }
      parts ??= []
      parts.push(Buffer.from(`${written}$${arg.byteLength}\r\n`), arg)
      written = '\r\n'
    }
    return parts === null ? written : Buffer.concat([...parts, Buffer.from(written)])
  }

  /** As the client would find out for each call: none, since no script blocks. */
  override extractBlockingTimeout(): undefined {
    return undefined
  }

  /** Each call has its deadline with those who make it; a timer of the client's own for each of them costs more than it is worth. */
  override setTimeout(): void {
    // None.
  }
}
