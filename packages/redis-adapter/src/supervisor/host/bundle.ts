/** Chunks of a pool that travel through Redis as one job. */
import { KeptFrame } from '@skein/core/adapter'

/** Chunks in one job at most. */
const MOST_CHUNKS = 256
/** Bytes after which a job takes no further chunk. */
const ENOUGH = 256 * 1024
/** A longer chunk stays in this program and its job only names it: Redis serves nobody else while it copies. */
const LONGEST = 4 * 1024 * 1024

/** A `submit` frame on its way. */
export class KeptChunk extends KeptFrame {
  /** Its outcomes are not wanted any more. */
  cancelled = false
}

export class Bundle {
  readonly chunks: KeptChunk[] = []
  #bytes = 0

  get full(): boolean {
    return this.chunks.length >= MOST_CHUNKS || this.#bytes >= ENOUGH
  }

  add(chunk: KeptChunk): void {
    this.chunks.push(chunk)
    this.#bytes += chunk.payload.length
  }

  /** The job's data: for each chunk its number, its tasks and its bytes. */
  toJson(count: (chunk: KeptChunk) => number): string {
    const chunks = this.chunks.map((chunk) => {
      const { b: id, payload } = chunk
      const bytes = payload.length
      return { id, tasks: count(chunk), bytes, data: bytes > LONGEST ? null : payload.toString('base64') }
    })
    return JSON.stringify({ chunks })
  }
}
