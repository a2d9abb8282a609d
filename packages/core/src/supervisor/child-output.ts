/**
 * What a child writes to its standard output and error, where somebody is to read it: as frames, as if the child had sent them. So
 * whoever started the child gets it on the way on which everything else of it comes, from another machine, too.
 */
import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Frame } from '../wire/frame.ts'
import { op } from '../wire/frame.ts'
import { KeptFrame } from '../wire/kept-frame.ts'

export class ChildOutput {
  readonly #streams = new Map<number, Readable>()
  readonly #sharers = new Set<ChildOutput>()
  readonly #stopped = new Set<number>()
  #ended = false

  /** @param over called once, when nothing more will come */
  constructor(child: ChildProcess, emit: (frame: Frame) => void, over: () => void) {
    for (const [number, stream] of [
      [1, child.stdout],
      [2, child.stderr],
    ] as const) {
      // Where no more files can be opened, there may be none.
      if (stream === null) continue
      this.#streams.set(number, stream)
      stream.on('data', (payload: Buffer) => emit(new KeptFrame({ op: op.output, a: number, b: 0, payload })))
      // The child is gone; 'close' follows.
      stream.on('error', () => stream.destroy())
      stream.once('close', () => {
        this.#streams.delete(number)
        if (this.#streams.size === 0) over()
      })
    }
    if (this.#streams.size === 0) queueMicrotask(over)
  }

  /** Another child writes where this one does: they stop and go on together. */
  share(other: ChildOutput): void {
    this.#sharers.add(other)
    for (const stream of this.#stopped) other.flow(stream, false)
  }

  unshare(other: ChildOutput): void {
    this.#sharers.delete(other)
  }

  /** Whether more is wanted; the child waits in its next write when its pipe is full. */
  flow(number: number, on: boolean): void {
    if (on) this.#stopped.delete(number)
    else this.#stopped.add(number)
    for (const sharer of this.#sharers) sharer.flow(number, on)
    if (this.#ended) return
    if (on) this.#streams.get(number)?.resume()
    else this.#streams.get(number)?.pause()
  }

  /** The child has ended: what is left is no more than its pipe holds, and is read however slow its reader is. */
  finish(): void {
    this.#ended = true
    for (const stream of this.#streams.values()) stream.resume()
  }

  /** Something that the child started may have its output still. */
  destroy(): void {
    for (const stream of this.#streams.values()) stream.destroy()
  }
}
