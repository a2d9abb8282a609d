/** Writes the binary wire (see `format.ts`) into memory that grows, and hands out an exact copy. */
import { CapacityError, EncodeError } from '../../errors.ts'
import type { Extension, NumberRun, Sink } from '../sink.ts'
import { BIGINT, FORMAT, HAS_REFERENCES, REFERENCE, TAG, UNDEFINED, UTF16 } from './format.ts'

const FIRST_SIZE = 8192
/** More memory than this is not kept for the next value. Bytes. */
const LARGEST_KEPT = 1 << 20
const LONGEST_NUMBER = 9
/** So many numbers at most are written without another look at the room. */
const LONGEST_RUN = 1024
/** From here a string is copied by the runtime's own code, whose call costs as much as so many turns of a loop. Code units. */
const LONG_TEXT = 24
/** From here bytes are copied once, straight into the result. */
const LARGE_BYTES = 4096

/** Bytes that are left where they are until the result is put together. */
interface Inset {
  readonly at: number
  readonly size: number
  readonly bytes: Uint8Array
}

/** Whether UTF-8 keeps the string: it has no lone surrogates. Every supported Node.js has the method, TypeScript's es2023 not. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

/** Memory of its own for who overwrites every byte: zeroes would only cost time. */
function unwritten(size: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
}

function copyOf(bytes: Uint8Array, length: number): Uint8Array {
  if (length < LARGE_BYTES) return bytes.slice(0, length)
  const copy = unwritten(length)
  copy.set(bytes.subarray(0, length))
  return copy
}

export class BinaryWriter implements Sink {
  readonly readable: boolean = false
  readonly reservesDollar: boolean = false
  #bytes = new Uint8Array(FIRST_SIZE)
  #text: Buffer = Buffer.from(this.#bytes.buffer)
  #view = new DataView(this.#bytes.buffer)
  #at = 1
  #flags = 0
  #insets: Inset[] = []

  /** Forgets what was written. */
  reset(): void {
    this.#at = 1
    this.#flags = 0
    if (this.#insets.length > 0) this.#insets = []
    if (this.#bytes.length > LARGEST_KEPT) this.#allocate(FIRST_SIZE)
  }

  /** What was written since the last `reset`, in memory of its own that no later call touches. */
  result(): Uint8Array {
    this.#bytes[0] = (FORMAT << 4) | this.#flags
    if (this.#insets.length === 0) return copyOf(this.#bytes, this.#at)
    let size = this.#at
    for (const inset of this.#insets) {
      // A getter that was read since may have shrunk or transferred the memory.
      if (inset.bytes.length !== inset.size)
        throw new EncodeError("A value's bytes changed while it was being encoded.")
      size += inset.size
    }
    const result = unwritten(size)
    let from = 0
    let to = 0
    for (const { at, bytes } of this.#insets) {
      result.set(this.#bytes.subarray(from, at), to)
      to += at - from
      from = at
      result.set(bytes, to)
      to += bytes.length
    }
    result.set(this.#bytes.subarray(from, this.#at), to)
    return result
  }

  null(): void {
    this.#byte(0xc0)
  }

  undefined(): void {
    this.#tag(UNDEFINED)
  }

  boolean(value: boolean): void {
    this.#byte(value ? 0xc3 : 0xc2)
  }

  number(value: number): void {
    this.#reserve(LONGEST_NUMBER)
    this.#at = this.#putNumber(value, this.#at)
  }

  numbers(run: NumberRun): void {
    const { array, at: from } = run
    const end = Math.min(run.length, from + LONGEST_RUN)
    // Once for all, before anything is read: nothing below changes the memory.
    this.#reserve((end - from) * LONGEST_NUMBER)
    let at = this.#at
    let i = from
    try {
      for (; i < end; i++) {
        const value = array[i]
        if (typeof value !== 'number') {
          run.stop = 'not a number'
          run.other = value
          break
        }
        at = this.#putNumber(value, at)
      }
    } catch (cause) {
      run.stop = 'not readable'
      run.other = cause
    }
    this.#at = at
    run.at = i
  }

  /** Writes a number where there is room for it; where it ends. */
  #putNumber(value: number, at: number): number {
    const bytes = this.#bytes
    // `| 0` makes -0 look like 0; it is told apart by its inverse.
    if ((value | 0) !== value || (value === 0 && 1 / value < 0)) {
      bytes[at] = 0xcb
      this.#view.setFloat64(at + 1, value)
      return at + 9
    }
    if (value >= -0x20 && value < 0x80) {
      bytes[at] = value
      return at + 1
    }
    if (value >= 0 && value < 0x100) {
      bytes[at] = 0xcc
      bytes[at + 1] = value
      return at + 2
    }
    if (value >= 0 && value < 0x10000) {
      bytes[at] = 0xcd
      bytes[at + 1] = value >> 8
      bytes[at + 2] = value
      return at + 3
    }
    bytes[at] = value < 0 ? 0xd2 : 0xce
    bytes[at + 1] = value >> 24
    bytes[at + 2] = value >> 16
    bytes[at + 3] = value >> 8
    bytes[at + 4] = value
    return at + 5
  }

  bigint(value: bigint): void {
    this.#tag(BIGINT)
    this.string(value.toString())
  }

  string(value: string): void {
    const { length } = value
    if (length >= LONG_TEXT) return this.#longString(value)
    this.#reserve(1 + length)
    const bytes = this.#bytes
    const at = this.#at
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i)
      if (unit >= 0x80) return this.#longString(value)
      bytes[at + 1 + i] = unit
    }
    bytes[at] = 0xa0 | length
    this.#at = at + 1 + length
  }

  bytes(value: Uint8Array): void {
    const { length } = value
    this.#header(0xc4, 0xc5, 0xc6, length)
    if (length >= LARGE_BYTES) {
      this.#insets.push({ at: this.#at, size: length, bytes: value })
    } else {
      this.#reserve(length)
      this.#bytes.set(value, this.#at)
      this.#at += length
    }
  }

  openArray(length: number): void {
    if (length < 16) this.#byte(0x90 | length)
    else this.#header(0, 0xdc, 0xdd, length)
  }

  openObject(size: number): void {
    if (size < 16) this.#byte(0x80 | size)
    else this.#header(0, 0xde, 0xdf, size)
  }

  key(key: string): void {
    this.string(key)
  }

  openTag(extension: Extension, parts: number): void {
    this.#tag(extension.code)
    if (!extension.single) this.openArray(parts)
  }

  reference(index: number): void {
    this.#flags |= HAS_REFERENCES
    this.#tag(REFERENCE)
    this.number(index)
  }

  #longString(value: string): void {
    if (!isWellFormed(value)) {
      this.#tag(UTF16)
      this.bytes(Buffer.from(value, 'utf16le'))
      return
    }
    const { length } = value
    // The header comes first and must have room for the length in UTF-8, which is known only afterwards: take the bound, and
    // count beforehand only where the bound would waste memory worth mentioning.
    const bound = length < LARGEST_KEPT ? length * 3 : Buffer.byteLength(value)
    this.#reserve(5 + bound)
    const at = this.#at
    if (bound < 0x100) {
      const size = this.#text.write(value, at + 2)
      this.#bytes[at] = 0xd9
      this.#bytes[at + 1] = size
      this.#at = at + 2 + size
    } else if (bound < 0x10000) {
      const size = this.#text.write(value, at + 3)
      this.#bytes[at] = 0xda
      this.#view.setUint16(at + 1, size)
      this.#at = at + 3 + size
    } else {
      const size = this.#text.write(value, at + 5)
      this.#bytes[at] = 0xdb
      this.#view.setUint32(at + 1, size)
      this.#at = at + 5 + size
    }
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = value
  }

  #tag(code: number): void {
    this.#reserve(2)
    this.#bytes[this.#at++] = TAG
    this.#bytes[this.#at++] = code
  }

  /** Token and length in 1, 2 or 4 bytes; arrays and maps have no form with 1. */
  #header(token8: number, token16: number, token32: number, length: number): void {
    this.#reserve(5)
    if (token8 !== 0 && length < 0x100) {
      this.#bytes[this.#at++] = token8
      this.#bytes[this.#at++] = length
    } else if (length < 0x10000) {
      this.#bytes[this.#at] = token16
      this.#view.setUint16(this.#at + 1, length)
      this.#at += 3
    } else if (length <= 0xffff_ffff) {
      this.#bytes[this.#at] = token32
      this.#view.setUint32(this.#at + 1, length)
      this.#at += 5
    } else {
      throw new CapacityError(`A value has ${length} bytes in one piece; 4 GiB is the most that can cross processes.`)
    }
  }

  #reserve(size: number): void {
    const needed = this.#at + size
    if (needed > this.#bytes.length) this.#grow(needed)
  }

  #grow(needed: number): void {
    const old = this.#bytes
    this.#allocate(Math.max(needed, old.length * 2))
    this.#bytes.set(old.subarray(0, this.#at))
  }

  #allocate(size: number): void {
    this.#bytes = new Uint8Array(size)
    this.#text = Buffer.from(this.#bytes.buffer)
    this.#view = new DataView(this.#bytes.buffer)
  }
}
