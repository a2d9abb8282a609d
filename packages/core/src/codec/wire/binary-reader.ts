/**
 * Reads the binary wire (see `format.ts`) as if a stranger had written it: every length is checked against the bytes that are
 * left before anything is allocated, so no value costs more than a small multiple of its bytes.
 */
import { ProtocolError } from '../../errors.ts'
import { extensionsByCode } from '../extensions.ts'
import type { Attach } from '../sink.ts'
import { BIGINT, FORMAT, HAS_REFERENCES, MAX_DEPTH, REFERENCE, TAG, UNDEFINED, UTF16 } from './format.ts'
import { LONGEST_SHORT, readAscii, readKey } from './text-reader.ts'

const float = new DataView(new ArrayBuffer(8))
/** Longer arrays would be made as dictionaries. */
const LONGEST_ALLOCATED = 1 << 24
const replacement = '\ufffd'

/** In place of an object whose leading parts are still being read: nothing can refer to it yet. */
const unmade: unique symbol = Symbol('unmade')

export class BinaryReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #attach: Attach
  #at = 1
  #depth = 0
  #text: Buffer | null = null
  #view: DataView | null = null
  #made: unknown[] | null = null

  constructor(bytes: Uint8Array, attach: Attach) {
    this.#bytes = bytes
    this.#end = bytes.length
    this.#attach = attach
  }

  /** The value that all of the bytes are. @throws ProtocolError if they are not exactly one value */
  read(): unknown {
    const first = this.#bytes[0]
    if (first === undefined) throw new ProtocolError('An encoded value has no bytes.')
    if (first >> 4 !== FORMAT || (first & 0xf) > HAS_REFERENCES) {
      throw new ProtocolError(
        `A value is encoded in format ${first >> 4}.${first & 0xf}; this process reads format ${FORMAT}.`,
      )
    }
    if ((first & HAS_REFERENCES) !== 0) this.#made = []
    const value = this.#value()
    if (this.#at !== this.#end) {
      throw this.#malformed(`${this.#end - this.#at} bytes follow the value`)
    }
    return value
  }

  #value(): unknown {
    if (this.#at >= this.#end) throw this.#truncated()
    const token = this.#bytes[this.#at++] as number
    if (token < 0x80) return token
    if (token >= 0xe0) return token - 0x100
    if (token < 0x90) return this.#object(token & 0xf)
    if (token < 0xa0) return this.#array(token & 0xf)
    if (token < 0xc0) return this.#string(token & 0x1f)
    switch (token) {
      case 0xc0:
        return null
      case TAG:
        return this.#tagged()
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.#bin(this.#uint(1))
      case 0xc5:
        return this.#bin(this.#uint(2))
      case 0xc6:
        return this.#bin(this.#uint(4))
      case 0xcb:
        return this.#float()
      case 0xcc:
        return this.#uint(1)
      case 0xcd:
        return this.#uint(2)
      case 0xce:
        return this.#uint(4)
      case 0xd2:
        return this.#uint(4) | 0
      case 0xd9:
        return this.#string(this.#uint(1))
      case 0xda:
        return this.#string(this.#uint(2))
      case 0xdb:
        return this.#string(this.#uint(4))
      case 0xdc:
        return this.#array(this.#uint(2))
      case 0xdd:
        return this.#array(this.#uint(4))
      case 0xde:
        return this.#object(this.#uint(2))
      case 0xdf:
        return this.#object(this.#uint(4))
      default:
        throw this.#malformed(`0x${token.toString(16)} opens no value`)
    }
  }

  #array(length: number): unknown[] {
    this.#need(length)
    // Safe to allocate: there are that many bytes. Growing would take twice the time.
    const array: unknown[] = []
    if (length <= LONGEST_ALLOCATED) array.length = length
    this.#made?.push(array)
    this.#enter()
    for (let i = 0; i < length; i++) {
      const value = this.#value()
      array[i] = value
      // Numbers seldom come alone.
      if (typeof value === 'number') i = this.#numbers(array, i + 1, length) - 1
    }
    this.#depth--
    return array
  }

  /** Reads numbers into `array` from index `from` on, until there are `length` or something else comes; where that is. */
  #numbers(array: unknown[], from: number, length: number): number {
    const bytes = this.#bytes
    const end = this.#end
    let at = this.#at
    let i = from
    for (; i < length && at < end; i++) {
      const token = bytes[at] as number
      if (token < 0x80) {
        array[i] = token
        at += 1
      } else if (token === 0xcd && at + 3 <= end) {
        array[i] = ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
        at += 3
      } else if (token === 0xce && at + 5 <= end) {
        const low = ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number)
        array[i] = (bytes[at + 1] as number) * 0x1000000 + low
        at += 5
      } else if (token === 0xcb && at + 9 <= end) {
        this.#view ??= new DataView(bytes.buffer, bytes.byteOffset, end)
        array[i] = this.#view.getFloat64(at + 1)
        at += 9
      } else break
    }
    this.#at = at
    return i
  }

  #object(size: number): object {
    this.#need(size * 2)
    const object: Record<string, unknown> = {}
    this.#made?.push(object)
    this.#enter()
    for (let i = 0; i < size; i++) {
      const key = this.#key()
      const value = this.#value()
      // Assigning one of these would reach, or be refused by, what the prototype has under the name.
      if (key in Object.prototype) {
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
      } else {
        object[key] = value
      }
    }
    this.#depth--
    return object
  }

  #key(): string {
    if (this.#at >= this.#end) throw this.#truncated()
    const token = this.#bytes[this.#at] as number
    if (token >= 0xa0 && token < 0xc0) {
      const length = token & 0x1f
      if (this.#at + 1 + length > this.#end) throw this.#truncated()
      const key = readKey(this.#bytes, this.#at + 1, length)
      if (key !== null) {
        this.#at += 1 + length
        return key
      }
    }
    const key = this.#value()
    if (typeof key !== 'string') throw this.#malformed('a key is no string')
    return key
  }

  #tagged(): unknown {
    const code = this.#uint(1)
    switch (code) {
      case UNDEFINED:
        return undefined
      case BIGINT:
        return this.#bigint()
      case REFERENCE:
        return this.#reference()
      case UTF16:
        return this.#utf16()
      default:
        return this.#extension(code)
    }
  }

  #extension(code: number): unknown {
    const extension = extensionsByCode.get(code)
    if (extension === undefined) throw this.#malformed(`${code} is the code of no type`)
    const count = extension.single ? 1 : this.#arrayLength()
    this.#need(count)
    const slot = this.#made === null ? 0 : this.#made.push(unmade) - 1
    this.#enter()
    const parts: unknown[] = []
    let made: unknown = unmade
    for (let i = 0; i < count; i++) {
      if (i === extension.head) made = this.#make(slot, extension.make(parts, this.#attach))
      parts.push(this.#value())
    }
    if (made === unmade) made = this.#make(slot, extension.make(parts, this.#attach))
    extension.fill?.(made, parts)
    this.#depth--
    return made
  }

  #make(slot: number, made: unknown): unknown {
    if (this.#made !== null) this.#made[slot] = made
    return made
  }

  #arrayLength(): number {
    const token = this.#uint(1)
    if (token >= 0x90 && token < 0xa0) return token & 0xf
    if (token === 0xdc) return this.#uint(2)
    if (token === 0xdd) return this.#uint(4)
    throw this.#malformed('a type has no parts')
  }

  #bigint(): bigint {
    const digits = this.#value()
    if (typeof digits !== 'string' || !/^-?\d+$/.test(digits)) throw this.#malformed('a bigint has no digits')
    return BigInt(digits)
  }

  #reference(): unknown {
    const index = this.#value()
    const made = typeof index === 'number' ? this.#made?.[index] : undefined
    if (made === undefined || made === unmade) throw this.#malformed('a reference points nowhere')
    return made
  }

  #utf16(): string {
    const units = this.#value()
    if (!(units instanceof Uint8Array) || units.length % 2 !== 0) throw this.#malformed('a string is cut')
    return Buffer.from(units.buffer).toString('utf16le')
  }

  #string(length: number): string {
    const at = this.#at
    this.#need(length)
    this.#at = at + length
    if (length <= LONGEST_SHORT) {
      const short = readAscii(this.#bytes, at, length)
      if (short !== null) return short
    }
    const source = this.#bytes
    this.#text ??= Buffer.from(source.buffer, source.byteOffset, source.byteLength)
    const text = this.#text.toString('utf8', at, at + length)
    // The decoder replaces what is not UTF-8; that is malformed, unless the replacement character itself was sent.
    if (text.includes(replacement) && Buffer.compare(Buffer.from(text), source.subarray(at, at + length)) !== 0) {
      throw this.#malformed('a string is not UTF-8')
    }
    return text
  }

  #bin(length: number): Uint8Array {
    this.#need(length)
    const at = this.#at
    this.#at = at + length
    // Not `this.#bytes.slice`: that of a Buffer makes a view.
    return Uint8Array.prototype.slice.call(this.#bytes, at, at + length)
  }

  #float(): number {
    this.#need(8)
    for (let i = 0; i < 8; i++) float.setUint8(i, this.#bytes[this.#at + i] as number)
    this.#at += 8
    return float.getFloat64(0)
  }

  #uint(size: 1 | 2 | 4): number {
    this.#need(size)
    const bytes = this.#bytes
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + (bytes[this.#at++] as number)
    return value
  }

  #need(size: number): void {
    if (size > this.#end - this.#at) throw this.#truncated()
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw this.#malformed(`it is nested deeper than ${MAX_DEPTH} levels`)
  }

  #truncated(): ProtocolError {
    return new ProtocolError(`An encoded value of ${this.#end} bytes ends too early.`)
  }

  #malformed(why: string): ProtocolError {
    return new ProtocolError(`An encoded value of ${this.#end} bytes is malformed near byte ${this.#at}: ${why}.`)
  }
}
