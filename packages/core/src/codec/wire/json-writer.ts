/**
 * Writes the JSON wire: data that is JSON already is written as it is, the rest as `{"$":"map","v":[…]}`, so that a dashboard
 * or a person at a store's prompt can read it.
 */
import type { Extension, Sink } from '../sink.ts'

/** Most keys and many strings need no escape, and seeing that is faster than `JSON.stringify`. */
const unescaped = /^[\w .,:/@-]*$/

/** `JSON.stringify` escapes lone surrogates, so the text is well-formed and they come back. */
function quote(text: string): string {
  return unescaped.test(text) ? `"${text}"` : JSON.stringify(text)
}

export class JsonWriter implements Sink {
  readonly readable: boolean = true
  readonly reservesDollar: boolean = true
  #text = ''
  #comma = false

  result(): string {
    return this.#text
  }

  null(): void {
    this.#put('null')
  }

  undefined(): void {
    this.#put('{"$":"undefined"}')
  }

  boolean(value: boolean): void {
    this.#put(value ? 'true' : 'false')
  }

  number(value: number): void {
    if (Number.isFinite(value) && !Object.is(value, -0)) this.#put(String(value))
    else this.#put(`{"$":"number","v":"${Object.is(value, -0) ? '-0' : String(value)}"}`)
  }

  bigint(value: bigint): void {
    this.#put(`{"$":"bigint","v":"${value}"}`)
  }

  string(value: string): void {
    this.#put(quote(value))
  }

  bytes(value: Uint8Array): void {
    this.#put(`"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"`)
  }

  openArray(): void {
    this.#open('[')
  }

  closeArray(): void {
    this.#close(']')
  }

  openObject(): void {
    this.#open('{')
  }

  key(key: string): void {
    this.#open(`${quote(key)}:`)
  }

  closeObject(): void {
    this.#close('}')
  }

  openTag(extension: Extension): void {
    this.#open(extension.single ? `{"$":"${extension.tag}","v":` : `{"$":"${extension.tag}","v":[`)
  }

  closeTag(extension: Extension): void {
    this.#close(extension.single ? '}' : ']}')
  }

  reference(index: number): void {
    this.#put(`{"$":"ref","v":${index}}`)
  }

  #put(text: string): void {
    this.#text += this.#comma ? `,${text}` : text
    this.#comma = true
  }

  #open(text: string): void {
    this.#text += this.#comma ? `,${text}` : text
    this.#comma = false
  }

  #close(text: string): void {
    this.#text += text
    this.#comma = true
  }
}
