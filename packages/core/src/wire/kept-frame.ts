/** Frames that outlive their delivery, and frames inside frames: what programs send each other about a process that runs as another's. */
import type { Frame, Op } from './frame.ts'

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

const INNER = 9

/** The head of a `relay` frame: op u8 · a u32 · b u32, then the head of the inner frame's own payload. */
export function relayHead(kind: Op, a: number, b: number, head: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = Buffer.allocUnsafe(INNER + head.length)
  bytes.writeUInt8(kind, 0)
  bytes.writeUInt32LE(a, 1)
  bytes.writeUInt32LE(b, 5)
  bytes.set(head, INNER)
  return bytes
}

/** The frame inside a `relay` frame. */
export function relayed(frame: Frame): KeptFrame {
  return new KeptFrame({ op: frame.u8(0), a: frame.u32(1), b: frame.u32(5), payload: frame.from(INNER) })
}
