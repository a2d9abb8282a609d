/** The payloads of the frames that carry chunks and their outcomes, little-endian, so that the broker forwards without decoding. */
import type { Chunk } from '../contract/fleet.ts'

const shapes = ['apply', 'map'] as const

/** `submit`: target u32 · shape u8 · count u32 · payload. */
export function submitHead(chunk: Chunk): Uint8Array {
  const head = Buffer.allocUnsafe(9)
  head.writeUInt32LE(chunk.target, 0)
  head.writeUInt8(shapes.indexOf(chunk.shape), 4)
  head.writeUInt32LE(chunk.count, 5)
  return head
}

export function submitTarget(payload: Uint8Array): number {
  return view(payload).getUint32(0, true)
}

export function submitCount(payload: Uint8Array): number {
  return view(payload).getUint32(5, true)
}

/** `assign`: lease f64 · first u32 · the payload of `submit`. */
export function assignHead(lease: number, first: number): Uint8Array {
  const head = Buffer.allocUnsafe(12)
  head.writeDoubleLE(lease, 0)
  head.writeUInt32LE(first, 8)
  return head
}

export interface AssignFields {
  /** Until when chunks that were not started may be started, on the machine's monotonic clock in ms. */
  readonly lease: number
  readonly first: number
  readonly target: number
  readonly shape: 'apply' | 'map'
  readonly count: number
  readonly payload: Uint8Array
}

export function readAssign(payload: Uint8Array): AssignFields {
  const fields = view(payload)
  return {
    lease: fields.getFloat64(0, true),
    first: fields.getUint32(8, true),
    target: fields.getUint32(12, true),
    shape: shapes[fields.getUint8(16)] as 'apply' | 'map',
    count: fields.getUint32(17, true),
    payload: payload.subarray(21),
  }
}

/** `report`: until u32 · first u32 · count u32 · outcomes; from the second field on it is a `done`. */
export function reportHead(until: number, first: number, count: number): Uint8Array {
  const head = Buffer.allocUnsafe(12)
  head.writeUInt32LE(until, 0)
  head.writeUInt32LE(first, 4)
  head.writeUInt32LE(count, 8)
  return head
}

export interface ReportFields {
  readonly until: number
  readonly first: number
  readonly count: number
  /** The payload of the `done` frame that follows from it. */
  readonly done: Uint8Array
}

export function readReport(payload: Uint8Array): ReportFields {
  const fields = view(payload)
  return {
    until: fields.getUint32(0, true),
    first: fields.getUint32(4, true),
    count: fields.getUint32(8, true),
    done: payload.subarray(4),
  }
}

export interface DoneFields {
  readonly first: number
  readonly count: number
  readonly outcomes: Uint8Array
}

export function readDone(payload: Uint8Array): DoneFields {
  const fields = view(payload)
  return { first: fields.getUint32(0, true), count: fields.getUint32(4, true), outcomes: payload.subarray(8) }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
