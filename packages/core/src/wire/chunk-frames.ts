/** The payloads of the frames that carry chunks and their outcomes, little-endian, so that the broker forwards without decoding. */
import type { Chunk, Shape, TaskTerms } from '../contract/fleet.ts'
import type { Frame } from './frame.ts'

const shapes: readonly Shape[] = ['apply', 'map', 'starmap']

/** Of the byte of the shape: terms follow the count. */
const TERMS = 0x80

// A frame is copied out of a head before the next head is written: one piece of memory serves all of them.
const head = Buffer.allocUnsafe(12)
const longHead = Buffer.allocUnsafe(17)

/** `submit`: target u32 · shape u8 · count u32 · terms, if the shape says so: timeout u32, priority u32 · payload. */
export function submitHead({ target, shape, count, terms }: Chunk): Uint8Array {
  const to = terms === null ? head : longHead
  to.writeUInt32LE(target, 0)
  to.writeUInt8(shapes.indexOf(shape) | (terms === null ? 0 : TERMS), 4)
  to.writeUInt32LE(count, 5)
  if (terms === null) return head.subarray(0, 9)
  longHead.writeUInt32LE(terms.timeout, 9)
  longHead.writeUInt32LE(terms.priority, 13)
  return longHead
}

export function submitCount(frame: Frame): number {
  return frame.u32(5)
}

/** Of the payload of a `submit` frame. */
export function submitTarget(payload: Buffer): number {
  return payload.readUInt32LE(0)
}

export function submitTerms(frame: Frame): TaskTerms | null {
  return termsAt(frame, 0)
}

function termsAt(frame: Frame, at: number): TaskTerms | null {
  if ((frame.u8(at + 4) & TERMS) === 0) return null
  return { timeout: frame.u32(at + 9), priority: frame.u32(at + 13) }
}

/** Before the payload of `submit`, an `assign` has a lease and an index. */
const SUBMIT = 12

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
  readonly shape: Shape
  readonly count: number
  readonly terms: TaskTerms | null
  readonly payload: Uint8Array
}

export function readAssign(frame: Frame): AssignFields {
  const terms = termsAt(frame, SUBMIT)
  return {
    lease: frame.f64(0),
    first: frame.u32(8),
    target: frame.u32(12),
    shape: shapes[frame.u8(16) & ~TERMS] as Shape,
    count: frame.u32(17),
    terms,
    payload: frame.from(terms === null ? 21 : 29),
  }
}

/** `report`: until u32 · first u32 · count u32 · outcomes; from the second field on it is a `done`. */
export function reportHead(until: number, first: number, count: number): Uint8Array {
  head.writeUInt32LE(until, 0)
  head.writeUInt32LE(first, 4)
  head.writeUInt32LE(count, 8)
  return head
}

export const report = {
  until: (frame: Frame): number => frame.u32(0),
  first: (frame: Frame): number => frame.u32(4),
  count: (frame: Frame): number => frame.u32(8),
  /** The payload of the `done` frame that follows from it. */
  done: (frame: Frame): Uint8Array => frame.from(4),
} as const

export const done = {
  first: (frame: Frame): number => frame.u32(0),
  count: (frame: Frame): number => frame.u32(4),
  outcomes: (frame: Frame): Uint8Array => frame.from(8),
} as const
