/** Both wires behind one name, so that every test of what crosses runs on both. */
import { decode, decodeJson, encode, encodeJson } from '../../../src/codec/index.ts'
import type { Attach } from '../../../src/codec/index.ts'

export interface Wire {
  readonly name: 'binary' | 'json'
  /** The value after one crossing. */
  cross(value: unknown, attach?: Attach): unknown
  /** Encodes only. */
  encode(value: unknown, path?: string): unknown
}

export const noHandles: Attach = (ref) => {
  throw new Error(`no handle was expected, got ${ref.kind} ${ref.name}`)
}

export const wires: readonly Wire[] = [
  { name: 'binary', encode, cross: (value, attach = noHandles) => decode(encode(value), attach) },
  { name: 'json', encode: encodeJson, cross: (value, attach = noHandles) => decodeJson(encodeJson(value), attach) },
]
