/** The payloads of frames that carry numbers alone, little-endian: what is asked and answered most often goes without the codec. */
import type { Frame } from './frame.ts'

// A frame is copied out of a head before the next head is written: one piece of memory serves all of them.
const number = Buffer.allocUnsafe(8)
const acquire = Buffer.allocUnsafe(9)

/** `okNumber` and `release`: f64. */
export function numberHead(value: number): Uint8Array {
  number.writeDoubleLE(value, 0)
  return number
}

/** `acquire`: permits f64 · poll u8. */
export function acquireHead(permits: number, poll: boolean): Uint8Array {
  acquire.writeDoubleLE(permits, 0)
  acquire.writeUInt8(poll ? 1 : 0, 8)
  return acquire
}

export function acquireArgs(frame: Frame): [permits: number, poll: boolean] {
  return [frame.f64(0), frame.u8(8) === 1]
}
