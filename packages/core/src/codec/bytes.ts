/**
 * ArrayBuffer, Buffer, DataView and the typed arrays. A view takes its own window of memory along and nothing around it, so a
 * slice of a large pool stays small, and two views of one ArrayBuffer come back as two pieces of memory (as numpy's views do
 * when pickled). One view met twice stays one view. Elements are little-endian, as on every platform that Node.js supports.
 */
import { types } from 'node:util'
import { NotSupportedError, ProtocolError } from '../errors.ts'
import { Refusal } from './refusal.ts'
import type { Extension } from './sink.ts'

/** Raw bytes among an extension's parts: written as they are, not walked. */
export class Bytes {
  readonly view: Uint8Array
  constructor(view: Uint8Array) {
    this.view = view
  }
}

type ViewClass = {
  readonly name: string
  readonly prototype: ArrayBufferView
  new (buffer: ArrayBuffer): ArrayBufferView
}

/** Not every supported Node.js has it. */
const halfFloats: unknown = Reflect.get(globalThis, 'Float16Array')

const viewClasses: readonly ViewClass[] = [
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  ...(typeof halfFloats === 'function' ? [halfFloats as ViewClass] : []),
]
const classByName: ReadonlyMap<string, ViewClass> = new Map(viewClasses.map((type) => [type.name, type]))
const nameByPrototype = new Map<object, string>([
  [Buffer.prototype, 'Buffer'],
  [ArrayBuffer.prototype, 'ArrayBuffer'],
  ...viewClasses.map((type): [object, string] => [type.prototype, type.name]),
])

/** A view's or buffer's type if it is one of the known ones itself and not a subclass; null otherwise. */
function nameOf(value: object, proto: object): string | null {
  const name = nameByPrototype.get(proto)
  if (name !== undefined) return name
  // From another realm: not among the prototypes, but as near to the end of its chain as the original is.
  if (!ArrayBuffer.isView(value) && !types.isArrayBuffer(value)) return null
  const tag = String(Reflect.get(value, Symbol.toStringTag))
  const above: unknown = Object.getPrototypeOf(proto)
  const base: unknown = types.isTypedArray(value) && above !== null ? Object.getPrototypeOf(above) : above
  return base !== null && Object.getPrototypeOf(base) === null && (tag === 'ArrayBuffer' || classByName.has(tag))
    ? tag
    : null
}

export function isBytes(value: object, proto: object): boolean {
  return types.isSharedArrayBuffer(value) ? false : nameOf(value, proto) !== null
}

interface Resizable {
  readonly resizable?: boolean
  readonly maxByteLength?: number
}

function windowOf(value: object, name: string): Uint8Array {
  if (name === 'ArrayBuffer') return new Uint8Array(value as ArrayBuffer)
  const view = value as ArrayBufferView
  if (types.isSharedArrayBuffer(view.buffer)) throw new Refusal(`is a ${name} on a SharedArrayBuffer`)
  // Throws for memory that was transferred away, whose views would otherwise pass as empty ones.
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

function resizable(bytes: Uint8Array, maxByteLength: unknown): ArrayBuffer {
  try {
    const buffer = Reflect.construct(ArrayBuffer, [bytes.length, { maxByteLength }]) as ArrayBuffer
    new Uint8Array(buffer).set(bytes)
    return buffer
  } catch (cause) {
    throw new ProtocolError('An encoded ArrayBuffer is malformed.', { cause })
  }
}

/** Bytes of their own, in an ArrayBuffer that holds nothing else. */
function ownBytes(part: unknown): Uint8Array<ArrayBuffer> {
  if (part instanceof Uint8Array) return part as Uint8Array<ArrayBuffer>
  if (typeof part !== 'string' || part.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(part)) {
    throw new ProtocolError('Encoded bytes are not base64.')
  }
  return new Uint8Array(Buffer.from(part, 'base64'))
}

export const bytesExtension: Extension = {
  tag: 'bytes',
  code: 21,
  single: false,
  head: 3,
  parts(value) {
    const name = nameOf(value, Object.getPrototypeOf(value) as object) ?? ''
    const parts: unknown[] = [name, new Bytes(windowOf(value, name))]
    if (name === 'ArrayBuffer' && (value as Resizable).resizable === true) {
      parts.push((value as Resizable).maxByteLength)
    }
    return parts
  },
  segment: () => '',
  make([name, part, capacity]) {
    const bytes = ownBytes(part)
    if (name === 'Buffer') return Buffer.from(bytes.buffer)
    if (name === 'ArrayBuffer') return capacity === undefined ? bytes.buffer : resizable(bytes, capacity)
    const type = typeof name === 'string' ? classByName.get(name) : undefined
    if (type === undefined) {
      if (name !== 'Float16Array') throw new ProtocolError('An encoded view is of no known type.')
      throw new NotSupportedError(`A Float16Array arrived, which Node.js ${process.version} does not have.`)
    }
    try {
      return new type(bytes.buffer)
    } catch (cause) {
      throw new ProtocolError(`The encoded ${type.name} is malformed.`, { cause })
    }
  },
}
