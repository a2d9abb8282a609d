/**
 * Until when a process surely keeps what it holds, written by the supervisor where the process reads it without asking: right even
 * after it was blocked or stopped. For the main program in shared memory, for a child in a file without a name that it inherits.
 *
 * A process has two tenures, each with its own place in the slot: of what one store keeps, and of locks that a majority of stores keeps.
 * Three numbers and the first again: until when on the monotonic clock, until when on the wall clock (only it goes on while a
 * laptop sleeps), and the epoch, which counts the losses. A write that changes the epoch sets the times to 0, so that numbers of two
 * writes read together never make a time longer than one of them; the first number again shows one that was half written.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, constants, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** A time on both clocks, in milliseconds. */
export interface Until {
  readonly mono: number
  readonly wall: number
}

interface SlotState extends Until {
  readonly epoch: number
}

/** The supervisor's end. */
export interface SlotHandle {
  /** The reader's end: memory for the main program, a descriptor for a child to inherit. */
  readonly share: number | SharedArrayBuffer
  write(tenure: TenureNumber, state: SlotState): void
  /** The child has inherited its end, or never will. */
  handedOver(): void
  close(): void
}

/** 0: of what the one store keeps; 1: of locks that a majority of stores keeps. */
export type TenureNumber = 0 | 1

export type ReadSlot = (tenure: TenureNumber) => SlotState

const NUMBERS = 4
const TENURE_BYTES = NUMBERS * 8
export const SLOT_BYTES: number = 2 * TENURE_BYTES

const numbers = new Float64Array(NUMBERS)
const bits = new BigInt64Array(numbers.buffer)
const bytes = new Uint8Array(numbers.buffer)

function fill({ mono, wall, epoch }: SlotState): void {
  numbers[0] = mono
  numbers[1] = wall
  numbers[2] = epoch
  numbers[3] = mono
}

/** What was read, or `null` if it is half of a write. */
function parse(): SlotState | null {
  const mono = numbers[0] as number
  return mono === numbers[3] ? { mono, wall: numbers[1] as number, epoch: numbers[2] as number } : null
}

export function sharedSlot(share: SharedArrayBuffer): SlotHandle {
  const shared = new BigInt64Array(share)
  return {
    share,
    write: (tenure, state) => {
      fill(state)
      for (let at = 0; at < NUMBERS; at += 1) Atomics.store(shared, tenure * NUMBERS + at, bits[at] as bigint)
    },
    handedOver: nothingToDo,
    close: nothingToDo,
  }
}

function nothingToDo(): void {
  // Memory needs no closing.
}

export function sharedReader(share: SharedArrayBuffer): ReadSlot {
  const shared = new BigInt64Array(share)
  return (tenure) => {
    for (;;) {
      for (let at = 0; at < NUMBERS; at += 1) bits[at] = Atomics.load(shared, tenure * NUMBERS + at)
      const state = parse()
      if (state !== null) return state
    }
  }
}

/** In memory where there is such a place. */
const DIRECTORIES = ['/dev/shm', resolve(tmpdir())]

/** A slot for a child; `null` where there can be none: then it hears of its losses, but only as soon as it listens. */
export function fileSlot(): SlotHandle | null {
  if (process.platform === 'win32') return null
  for (const directory of DIRECTORIES) {
    const slot = openIn(directory)
    if (slot !== null) return slot
  }
  return null
}

function openIn(directory: string): SlotHandle | null {
  const path = join(directory, `skein-${randomUUID()}`)
  let write: number
  try {
    write = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  } catch {
    return null
  }
  let share: number
  try {
    // In full, so that no later write needs room that there may be none of.
    writeSync(write, new Uint8Array(SLOT_BYTES), 0, SLOT_BYTES, 0)
    share = openSync(path, constants.O_RDONLY)
  } catch {
    closeSync(write)
    return null
  } finally {
    unlinkSync(path)
  }
  let handed = false
  const slot: SlotHandle = {
    share,
    write: (tenure, state) => {
      fill(state)
      writeSync(write, bytes, 0, TENURE_BYTES, tenure * TENURE_BYTES)
    },
    handedOver: () => {
      if (!handed) closeSync(share)
      handed = true
    },
    close: () => {
      slot.handedOver()
      closeSync(write)
    },
  }
  return slot
}

export function fileReader(descriptor: number): ReadSlot {
  return (tenure) => {
    for (;;) {
      // Too short: nothing was written yet.
      if (readSync(descriptor, bytes, 0, TENURE_BYTES, tenure * TENURE_BYTES) < TENURE_BYTES)
        return { mono: 0, wall: 0, epoch: 0 }
      const state = parse()
      if (state !== null) return state
    }
  }
}
