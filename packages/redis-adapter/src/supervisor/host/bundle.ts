/** Chunks of a pool that travel through Redis as one job. */
import type { Frame } from '@skein/core/adapter'

/** Chunks in one job at most. */
const MOST_CHUNKS = 256
/** Bytes after which a job takes no further chunk. */
const ENOUGH = 256 * 1024
/** A longer chunk stays in this program and its job only names it: Redis serves nobody else while it copies. */
const LONGEST = 4 * 1024 * 1024

/** A `submit` frame that outlives its delivery. */
export class KeptFrame implements Frame {
  readonly op: number
  readonly a: number
  readonly b: number
  readonly payload: Buffer
  /** Its outcomes are not wanted any more. */
  cancelled = false

  constructor({ op, a, b, payload }: Frame) {
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

export class Bundle {
  readonly chunks: KeptFrame[] = []
  #bytes = 0

  get full(): boolean {
    return this.chunks.length >= MOST_CHUNKS || this.#bytes >= ENOUGH
  }

  add(chunk: KeptFrame): void {
    this.chunks.push(chunk)
    this.#bytes += chunk.payload.length
  }

  /** The job's data: for each chunk its number, its tasks and its bytes. */
  toJson(count: (chunk: KeptFrame) => number): string {
    const chunks = this.chunks.map((chunk) => {
      const { b: id, payload } = chunk
      const bytes = payload.length
      return { id, tasks: count(chunk), bytes, data: bytes > LONGEST ? null : payload.toString('base64') }
    })
    return JSON.stringify({ chunks })
  }
}
