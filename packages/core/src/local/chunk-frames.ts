/** The payloads of the frames that carry chunks and their outcomes, little-endian, so that the broker forwards without decoding. */
import type { Chunk } from '../contract/fleet.ts'

const shapes = ['apply', 'map'] as const

// A frame is copied out of a head before the next head is written: one piece of memory serves all of them.
const head = Buffer.allocUnsafe(12)

/** `submit`: target u32 · shape u8 · count u32 · payload. */
export function submitHead({ target, shape, count }: Chunk): Uint8Array {
  head.writeUInt32LE(target, 0)
  head.writeUInt8(shape === 'apply' ? 0 : 1, 4)
  head.writeUInt32LE(count, 5)
  return head.subarray(0, 9)
}

export function submitTarget(payload: Buffer): number {
  return payload.readUInt32LE(0)
}

export function submitCount(payload: Buffer): number {
  return payload.readUInt32LE(5)
}

/** `assign`: lease f64 · first u32 · the payload of `submit`. */
export function assignHead(lease: number, first: number): Uint8Array {
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

export function readAssign(payload: Buffer): AssignFields {
  return {
    lease: payload.readDoubleLE(0),
    first: payload.readUInt32LE(8),
    target: payload.readUInt32LE(12),
    shape: shapes[payload.readUInt8(16)] as 'apply' | 'map',
    count: payload.readUInt32LE(17),
    payload: payload.subarray(21),
  }
}

/** `report`: until u32 · first u32 · count u32 · outcomes; from the second field on it is a `done`. */
export function reportHead(until: number, first: number, count: number): Uint8Array {
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

export function readReport(payload: Buffer): ReportFields {
  return {
    until: payload.readUInt32LE(0),
    first: payload.readUInt32LE(4),
    count: payload.readUInt32LE(8),
    done: payload.subarray(4),
  }
}

export interface DoneFields {
  readonly first: number
  readonly count: number
  readonly outcomes: Uint8Array
}

export function readDone(payload: Buffer): DoneFields {
  return { first: payload.readUInt32LE(0), count: payload.readUInt32LE(4), outcomes: payload.subarray(8) }
}
