/**
 * Frames between a supervisor and its clients: `length u32 · op u8 · a u32 · b u32 · payload`, little-endian, `length`
 * counting what follows it. Hot calls fit the three header fields; everything else is a `call` with an encoded payload.
 */

import { CapacityError } from '../errors.ts'

/** Kinds of frames. `a` is an object's number in the session, `b` a request's, an item's or a chunk's. */
export const op = {
  /** client → broker: names an object of this session. Payload: kind, name, spec. */
  open: 1,
  /** client → broker: payload [method, …args]; answered by `ok`, `fail` or `cancelled`. */
  call: 2,
  /** client → broker: gives up request `b`. */
  cancel: 3,
  /** client → broker: an unanswered `call`. */
  post: 4,
  ok: 5,
  fail: 6,
  cancelled: 7,
  /** broker → client: payload [event, …args] of object `a`. */
  event: 8,
  /** client → broker: an item for queue `a`; answered by `fail` only if refused. */
  put: 9,
  /** broker → client: item `b` of queue `a`, ahead of demand. Payload: attempt u32, item. */
  item: 10,
  /** client → broker: item `b` of queue `a` was handed to the user for good. */
  taken: 11,
  /** client → broker: item `b` of queue `a` was handed to the user until acknowledged. */
  held: 12,
  /** client → broker: item `b` of queue `a` is acknowledged. */
  ack: 13,
  /** client → broker: chunk `b` for fleet `a`. Payload: target u32, shape u8, count u32, payload. */
  submit: 14,
  /** broker → client: outcomes of chunk `b` of fleet `a`. Payload: first u32, count u32, outcomes. */
  done: 15,
  /** broker → worker: chunk `b`, the `a`-th assignment of this worker. Payload: see chunk-frames.ts. */
  assign: 16,
  /** worker → broker: outcomes of chunk `b`; `a` further chunks of one task may start before the next report. Payload: until u32, first u32, count u32, outcomes. */
  report: 17,
  /** worker → broker: all assignments that were not started are dropped, and so is what comes before the broker has sent this back. */
  idle: 18,
  /** worker → broker: the initializer has run. */
  ready: 19,
  /** worker → broker: the initializer threw. Payload: the error. */
  unready: 20,
  /** supervisor → child, first of all: who it is and what it runs. Payload: `Boot`. */
  boot: 21,
  /** child → supervisor: the target is loaded. */
  loaded: 22,
  /** child → supervisor: the target could not be loaded. Payload: the error. */
  unloaded: 23,
  /** child → supervisor: the target has returned. Payload: its result. */
  returned: 24,
  /** child → supervisor: the target, or something else in the child, has thrown. Payload: the error. */
  threw: 25,
  /** broker → worker: target `a` of the chunks to come. Payload: the encoded reference. */
  target: 26,
  /** broker → worker: no more chunks will come. */
  leave: 27,
  /** client → broker: number `a` will not be used again. */
  forget: 28,
  /**
   * broker → worker: chunk `b` is not wanted any more; not started, it is reported in its turn as if it had run. Of a running one, what has
   * not started is passed over; `a` is 1 if its worker is to be ended.
   */
  drop: 29,
  /** supervisor → client: are you there? Answered at once by `pong`. */
  ping: 30,
  pong: 31,
  /** supervisor → client: epoch `a` of tenure `b` begins, and what was held before is lost. Payload: why. */
  lost: 32,
  /** supervisor → client: the store cannot be reached (`a` is 1), or can be again (0). */
  interrupted: 33,
  /** between programs: a frame of or for the process that runs as object `a`. Payload: op u8, a u32, b u32, payload. */
  relay: 34,
  /** from a worker that runs elsewhere: it has given back the `a`-th assignment and all after it, none of them started. */
  recalled: 35,
  /** starter → broker, as if the child said it: what the child wrote to descriptor `a` (1 or 2). Payload: the bytes. */
  output: 36,
  /** broker → starter, as if it told the child: no more `output` of descriptor `a` for now (`b` is 0), or on with it (1). */
  flow: 37,
  /** supervisor → child: it was interrupted. The child answers with the same when it has heard. */
  interrupt: 38,
  /** from the keeper of a worker that runs elsewhere: task `a` of chunk `b` has exceeded its time, and the worker is killed for that. */
  overdue: 39,
  /** worker → broker: it begins nothing more and ends. All that it has and has not reported was not started. */
  retire: 40,
  /** supervisor → client: others name the same store so in references. Payload: the name, in UTF-8. */
  alias: 41,
  /** between programs of one machine, first of all: who it is. Payload: `Hello`. Then, of a guest: process `a` has come. Payload: its `ProcessInfo`. */
  hello: 42,
  /** between programs of one machine, the answer. Payload: `Welcome`. */
  welcome: 43,
  /** supervisor → client: the program that keeps all but processes is gone. Payload: the error. */
  stranded: 44,
  /** supervisor → child that was held: it may load and run what it is for. */
  go: 45,
  /** broker → client: as `ok`. Payload: the answer, an f64. */
  okNumber: 46,
  /** client → broker: the grant of object `a` goes back; `b` is 1 if its holder has never heard of it. Payload: its token, an f64. */
  release: 47,
  /** client → broker: the call `acquire` of object `a`, answered as others are. Payload: permits f64, poll u8. */
  acquire: 48,
} as const

export type Op = (typeof op)[keyof typeof op]

/** Whether a frame of a client's is to be answered, under its number `b`. */
export function isCall(kind: number): boolean {
  return kind === op.call || kind === op.acquire
}

/** A frame as it comes in. Valid until its receiver returns: the next one comes in the same object. What `payload` and `from` give stays. */
export interface Frame {
  readonly op: number
  readonly a: number
  readonly b: number
  readonly payload: Buffer
  /** The payload from this byte on. */
  from(at: number): Buffer
  u8(at: number): number
  u32(at: number): number
  f64(at: number): number
}

const HEADER = 13
const BLOCK = 64 * 1024
/** Payloads above this travel as a segment of their own instead of being copied. */
const LARGE = 16 * 1024
/** Above this a frame is taken for a protocol error rather than for a message. */
const LARGEST = 2 ** 31 - 1

/**
 * The longest part of a payload, in bytes. What is forwarded gets another head on its way: the room left below `LARGEST` is for that, so
 * that what its sender could send is never refused where nobody could be told.
 */
const LONGEST_PART = LARGEST - BLOCK

const nothing = new Uint8Array(0)
const none = Buffer.alloc(0)

/** Gathers frames into few segments of bytes. */
export class FrameWriter {
  #block = Buffer.allocUnsafeSlow(BLOCK)
  #start = 0
  #end = 0
  #full: Uint8Array[] = []
  readonly #stretch = { block: this.#block, start: 0, end: 0 }
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Appends a frame.
   *
   * @param head the first bytes of the payload, few of them, copied
   * @param tail the rest; a large one is kept, not copied, and must not change afterwards
   * @throws CapacityError if it is longer than a frame may be; nothing is written then
   */
  add(kind: Op, a: number, b: number, head: Uint8Array = nothing, tail: Uint8Array = nothing): void {
    const part = Math.max(head.length, tail.length)
    if (part > LONGEST_PART) {
      throw new CapacityError(
        `a message of ${part} bytes is too long, the most is ${LONGEST_PART}; send it in pieces, or as a file's name`,
      )
    }
    const size = head.length + tail.length
    const copied = tail.length > LARGE ? head.length : size
    if (this.#end + HEADER + copied > this.#block.length) this.#renew(HEADER + copied)
    const block = this.#block
    let at = block.writeUInt32LE(size + HEADER - 4, this.#end)
    at = block.writeUInt8(kind, at)
    at = block.writeUInt32LE(a, at)
    at = block.writeUInt32LE(b, at)
    this.#bytes += HEADER + size
    if (head.length > 0) block.set(head, at)
    this.#end = at + copied
    if (tail.length > LARGE) {
      this.#cut()
      this.#full.push(tail)
    } else if (tail.length > 0) block.set(tail, at + head.length)
  }

  /** What is gathered, if it is one stretch of one block, which then counts as taken. The object is the writer's own, used again. */
  takeStretch(): { readonly block: Buffer; readonly start: number; readonly end: number } | null {
    if (this.#full.length > 0) return null
    const stretch = this.#stretch
    stretch.block = this.#block
    stretch.start = this.#start
    stretch.end = this.#end
    this.#start = this.#end
    this.#bytes = 0
    return stretch
  }

  /** All segments so far; their bytes are never touched again. */
  take(): readonly Uint8Array[] {
    this.#cut()
    const all = this.#full
    this.#full = []
    this.#bytes = 0
    return all
  }

  #cut(): void {
    if (this.#end > this.#start) this.#full.push(this.#block.subarray(this.#start, this.#end))
    this.#start = this.#end
  }

  #renew(room: number): void {
    this.#cut()
    this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK, room))
    this.#start = 0
    this.#end = 0
  }
}

class Arrival implements Frame {
  op = 0
  a = 0
  b = 0
  bytes: Buffer = none
  start = 0
  end = 0

  get payload(): Buffer {
    return this.bytes.subarray(this.start, this.end)
  }

  from(at: number): Buffer {
    return this.bytes.subarray(this.start + at, this.end)
  }

  u8(at: number): number {
    return this.bytes.readUInt8(this.start + at)
  }

  u32(at: number): number {
    return this.bytes.readUInt32LE(this.start + at)
  }

  f64(at: number): number {
    return this.bytes.readDoubleLE(this.start + at)
  }
}

/** Cuts a stream of bytes back into frames. */
export class FrameReader {
  readonly #arrival = new Arrival()
  #rest: Uint8Array[] = []
  #held = 0
  #need = 4
  readonly #deliver: (frame: Frame) => void

  constructor(deliver: (frame: Frame) => void) {
    this.#deliver = deliver
  }

  /** Bytes of a frame that has not come whole. */
  get held(): number {
    return this.#held
  }

  push(chunk: Uint8Array): void {
    if (this.#held === 0) {
      this.#parse(asBuffer(chunk))
      return
    }
    this.#rest.push(chunk)
    this.#held += chunk.length
    if (this.#held < this.#need) return
    const whole = Buffer.concat(this.#rest, this.#held)
    this.#rest = []
    this.#held = 0
    this.#parse(whole)
  }

  #parse(bytes: Buffer): void {
    let at = 0
    while (bytes.length - at >= 4) {
      const length = bytes.readUInt32LE(at)
      if (length < HEADER - 4 || length > LARGEST) throw new RangeError(`frame of ${length} bytes`)
      const end = at + 4 + length
      if (end > bytes.length) {
        this.#need = 4 + length
        break
      }
      const frame = this.#arrival
      frame.op = bytes.readUInt8(at + 4)
      frame.a = bytes.readUInt32LE(at + 5)
      frame.b = bytes.readUInt32LE(at + 9)
      frame.bytes = bytes
      frame.start = at + HEADER
      frame.end = end
      at = end
      this.#need = 4
      this.#deliver(frame)
    }
    // Else the last bytes of a busy time would stay in memory.
    this.#arrival.bytes = none
    if (at < bytes.length) {
      this.#rest = [bytes.subarray(at)]
      this.#held = bytes.length - at
    }
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
