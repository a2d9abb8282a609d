/** Frames that outlive their delivery, or that nobody has sent. */
import type { Frame } from './frame.ts'

/** A frame comes in the same object as the next one; this is a copy of its head. What it carries is shared. */
export class KeptFrame implements Frame {
  readonly op: number
  readonly a: number
  readonly b: number
  readonly payload: Buffer

  constructor({ op, a, b, payload }: Pick<Frame, 'op' | 'a' | 'b' | 'payload'>) {
    this.op = op
    this.a = a
    this.b = b
    this.payload = payload
  }

  from(at: number): Buffer {
    return this.payload.subarray(at)
  }

  u8(at: number): number {
    return this.payload.readUInt8(at)
  }

  u32(at: number): number {
    return this.payload.readUInt32LE(at)
  }

  f64(at: number): number {
    return this.payload.readDoubleLE(at)
  }
}
