/**
 * Lets a forwarding thread take a breath while small writes come thick and fast. Awake, it would read each of them by itself, be woken for
 * each, and take the processor from the very process that writes; asleep for a tenth of a millisecond it finds
 * them all together. Nothing of this happens before a dense stream has gone on for a while.
 */

/** A read within so many milliseconds of the last one belongs to a dense stream, if it brought no more than `FEW` bytes. */
const DENSE = 0.03
const FEW = 1024
/** So many dense reads in a row make a stream. */
const STREAM = 32
/** Milliseconds of sleep. What others ask meanwhile waits so long. */
const BREATH = 0.1

const cell = new Int32Array(new SharedArrayBuffer(4))

let dense = 0
let last = 0
let due = false

function breathe(): void {
  due = false
  Atomics.wait(cell, 0, 0, BREATH)
  // The sleep itself must not end the stream.
  last = performance.now()
}

/** Something was read: so many bytes. */
export function noteRead(bytes: number): void {
  const now = performance.now()
  dense = now - last < DENSE && bytes <= FEW ? dense + 1 : bytes <= FEW ? 0 : dense
  last = now
  if (dense < STREAM || due) return
  due = true
  setImmediate(breathe)
}
