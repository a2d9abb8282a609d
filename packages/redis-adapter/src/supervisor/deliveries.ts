/** What the processes of this program have of one queue: sent to them, held by them, given back when they end. */
import { Buffer } from 'node:buffer'
import { ConnectionError, LeaseLostError } from '@skein/core'
import { type AheadBoard, type Call, type Frame, off, op, type Session } from '@skein/core/adapter'
import type { Errands } from './errands.ts'
import type { JobData, QueueCommands } from './queue-commands.ts'
import type { ProgramSession } from './surround.ts'

type Place = Parameters<AheadBoard['free']>[0]

interface Out {
  readonly rid: string
  readonly attempt: number
  /** On the board, if it was sent before anybody asked. */
  readonly place: Place
  /** Until acknowledged; before that the process has not said how it took it. */
  held: boolean
}

/** A process as one number of the queue knows it. */
export interface QueueUser {
  readonly session: Session
  readonly number: number
  /** By the item's number, in the order of sending. */
  readonly out: Map<number, Out>
}

export interface DeliveriesOptions {
  readonly label: string
  readonly most: number
  readonly commands: QueueCommands
  readonly errands: Errands
  readonly session: ProgramSession
  /** Another number after each reconnect: an answer across that may be the second one. */
  readonly connections: () => number
}

export class Deliveries {
  readonly #options: DeliveriesOptions
  readonly #users = new Map<string, QueueUser>()
  #count = 0

  constructor(options: DeliveriesOptions) {
    this.#options = options
  }

  get users(): Iterable<QueueUser> {
    return this.#users.values()
  }

  user(session: Session, number: number): QueueUser | undefined {
    return this.#users.get(key(session, number))
  }

  join(session: Session, number: number): void {
    this.#users.set(key(session, number), { session, number, out: new Map() })
  }

  forget({ session, number }: QueueUser): void {
    this.#users.delete(key(session, number))
  }

  /** Answers a get. */
  hand(user: QueueUser, call: Call, job: JobData): void {
    // First the word, then the item: an item without a word is one that travels ahead.
    call.ok(true)
    this.#send(user, job, off)
  }

  /** Sends an item that nobody has asked for. @returns how to take it back: false if the process was first; null: it cannot be */
  ahead(user: QueueUser, job: JobData): (() => boolean) | null {
    const { board } = user.session
    const place = board?.put() ?? null
    if (board === null || place === null) return null
    const number = this.#send(user, job, place)
    return () => {
      if (!board.take(place)) return false
      board.free(place)
      user.out.delete(number)
      return true
    }
  }

  #send(user: QueueUser, { rid, attempt, data }: JobData, place: Place): number {
    this.#count = (this.#count % 0xffff_ffff) + 1
    user.out.set(this.#count, { rid, attempt, place, held: false })
    const head = Buffer.allocUnsafe(12)
    head.writeUInt32LE(attempt, 0)
    head.writeUInt32LE(place.slot, 4)
    head.writeUInt32LE(place.tag, 8)
    user.session.send(op.item, user.number, this.#count, head, data)
    return this.#count
  }

  frame(user: QueueUser, frame: Frame): void {
    const { commands, errands } = this.#options
    if (frame.op === op.taken) {
      const rids = takenUpTo(user, frame.b)
      if (rids.length > 0) errands.run(() => commands.finish(rids))
    } else if (frame.op === op.held) {
      const out = user.out.get(frame.b)
      if (out === undefined) return
      out.held = true
      user.session.board?.free(out.place)
    } else if (frame.op === op.ack) {
      const out = take(user, frame.b)
      if (out !== undefined) errands.run(() => commands.finish([out.rid]))
    }
  }

  /** These were not handed out. */
  returned(user: QueueUser, numbers: readonly number[]): void {
    this.#giveBack(numbers.flatMap((number) => take(user, number)?.rid ?? []))
  }

  /** A nack that nobody waits for. */
  nacked(user: QueueUser, [number, delay, error]: readonly [number, number, string?]): void {
    const out = take(user, number)
    if (out !== undefined) this.#options.errands.run(() => this.#again(out, error, delay))
  }

  ack(call: Call): Promise<void> {
    return this.#settle(call, ({ rid }) => this.#options.commands.finish([rid]))
  }

  nack(call: Call): Promise<void> {
    const [, delay, error] = call.args as [number, number, string?]
    return this.#settle(call, (out) => this.#again(out, error, delay))
  }

  /** The process has ended, or is stopped: what it held goes back as delivered, what it had not touched as new. */
  takeBack(session: Session): void {
    for (const user of this.#users.values()) {
      if (user.session !== session || user.out.size === 0) continue
      const all = [...user.out.values()]
      user.out.clear()
      // What is still on the board could not be taken back before: the process has it, and has not said so yet.
      const touched = ({ held, place }: Out): boolean => held || place.slot !== 0
      this.#giveBack(all.filter((out) => !touched(out)).map(({ rid }) => rid))
      for (const out of all.filter(touched).toReversed())
        this.#options.errands.run(() => this.#again(out, 'its consumer ended'))
    }
  }

  /** As `takeBack`, of all processes. */
  takeAllBack(): void {
    for (const session of new Set([...this.#users.values()].map((user) => user.session))) this.takeBack(session)
  }

  /** Nobody holds anything any more. */
  lose(): void {
    for (const user of this.#users.values()) user.out.clear()
  }

  /** To the front of the queue, or to its end after a delay; delivered too often, set aside. */
  #again({ rid, attempt }: Out, error: string | undefined, delay = 0): Promise<readonly boolean[]> {
    const { commands, most } = this.#options
    if (attempt < most) return commands.back([rid], true, delay)
    return commands.finish([rid], error === undefined || error === '' ? 'given back too often' : error)
  }

  async #settle(call: Call, how: (out: Out) => Promise<readonly boolean[]>): Promise<void> {
    const { session, errands, connections } = this.#options
    const user = this.user(call.session, call.object)
    const out = user === undefined ? undefined : take(user, (call.args as [number])[0])
    if (out === undefined) {
      call.fail(this.#lost())
      return
    }
    const before = connections()
    const { sid } = session
    try {
      const [ours] = await how(out)
      // Sent again on a new connection, it finds its own work done.
      if (ours === true || (before !== connections() && sid === session.sid)) call.ok()
      else call.fail(this.#lost())
    } catch (error) {
      // Nobody else can settle it any more.
      if (error instanceof ConnectionError && sid === session.sid) errands.run(() => how(out))
      call.fail(error as Error)
    }
  }

  /** Items that nobody has seen. */
  #giveBack(rids: readonly string[]): void {
    if (rids.length > 0) this.#options.errands.run(() => this.#options.commands.back(rids.toReversed(), false))
  }

  #lost(): LeaseLostError {
    return new LeaseLostError(`this delivery from ${this.#options.label} was acknowledged, given back or lost before`)
  }
}

function take({ out }: QueueUser, number: number): Out | undefined {
  const one = out.get(number)
  out.delete(number)
  return one
}

/** Takes out what was handed out for good: this item and all sent before it, but those that are held. */
function takenUpTo({ out, session }: QueueUser, last: number): string[] {
  const rids: string[] = []
  for (const [number, { rid, held, place }] of out) {
    if (!held) {
      out.delete(number)
      session.board?.free(place)
      rids.push(rid)
    }
    if (number === last) break
  }
  return rids
}

/** Session and number in one key. */
function key(session: Session, number: number): string {
  return `${session.serial} ${number}`
}
