/**
 * Messages between programs, each to one receiver, in order, and without a gap that nobody notices: a list in Redis for each program.
 * What is sent while a message is under way travels with the next one.
 *
 * Entries are numbered by their sender. One that was sent again comes twice and is read once; one that Redis has lost (it started again with
 * older data) or refused leaves a gap, which the next one shows. After each reconnect, and now and then after its last entry, every sender says
 * how far it has come, so that the last entry of all is missed, too.
 *
 * An entry begins with the protocol that its sender speaks. One of another protocol is not read: programs tell in their sessions what they
 * speak, and write to nobody who would not understand.
 */
import { Buffer } from 'node:buffer'
import { ClosedError, ConnectionError } from '@skein/core'
import { monotonic, PROTOCOL, reportDefect } from '@skein/core/adapter'
import type { SessionKeys } from '../program-session.ts'
import type { Script, ScriptArgument, Surround } from '../surround.ts'

/** Entries read in one exchange. */
const PAGE = 64
/** Bytes after which an entry takes no further message. */
const ENOUGH = 1024 * 1024
/** Bytes within which an entry says who sent it, and which of his it is. */
const HEAD = 192
/** Senders whose last number is remembered: the living, and the last ones of the dead. */
const MOST_SENDERS = 10_000
/** How long a list stays that nobody reads, in `sessionTtl`s: whoever lives reads within one, unless it has a longer one. */
const KEPT_TTLS = 2
/** Beats after the last message. */
const SAID_AGAIN: ReadonlySet<number> = new Set([1, 2, 4, 8, 16, 32])

export interface MailEvents {
  /** A message is valid for good. */
  received(sender: string, message: Buffer): void
  /** Whoever sent that as this program does not know the secret: it is as if it had not come. */
  forged(sender: string): void
  /**
   * Something of what was sent to or by that program is lost, all that waited to be sent there included. What is sent from now on will arrive.
   *
   * @param why `null`: Redis has lost it
   */
  broken(program: string, why: Error | null): void
}

interface Outgoing {
  waiting: Buffer[]
  posting: Promise<void> | null
  number: number
  /** Looks since the last message. */
  quiet: number
  /** Redis has refused the last entry; until the next try. */
  refused: NodeJS.Timeout | null
}

interface Head {
  readonly sender: string
  readonly number: number
  /** `''`: it has none. */
  readonly seal: string
  /** Of the first message. */
  readonly at: number
}

export class Mailbox {
  readonly #around: Surround
  readonly #keys: Pick<SessionKeys, 'inbox'>
  readonly #events: MailEvents
  readonly #post: Script<readonly ScriptArgument[], number>
  readonly #read: Script<readonly ScriptArgument[], Buffer[]>
  readonly #stops: readonly (() => void)[]
  readonly #outgoing = new Map<string, Outgoing>()
  /** The number of the last entry of each sender, also of those that are gone: nothing of theirs may be said again. */
  readonly #seen = new Map<string, number>()
  #reading = false
  #again = false
  #closed = false

  constructor(around: Surround, keys: Pick<SessionKeys, 'inbox'>, events: MailEvents) {
    this.#around = around
    this.#keys = keys
    this.#events = events
    const { store, wakes, session } = around
    // What it carries ends processes and says how they ended: it must pass on a full store, too.
    this.#post = store.script('mail-post', { allowOom: true })
    this.#read = store.script('mail-read', { allowOom: true, binary: true })
    const look = (): void => this.look()
    this.#stops = [
      wakes.on('mail', look),
      wakes.onResubscribed(look),
      store.onConnected(() => {
        for (const receiver of this.#outgoing.keys()) this.send(receiver)
        look()
      }),
      // Under its next name it counts from 1, and so does everybody else who writes to that.
      session.onLost(() => {
        for (const program of this.#outgoing.keys()) this.forget(program)
        this.#seen.clear()
      }),
    ]
    look()
  }

  /** Leaves with what else this turn sends there, none of it much longer than a megabyte. Without a message: says only how far this program has come. */
  send(receiver: string, ...messages: readonly Buffer[]): void {
    let to = this.#outgoing.get(receiver)
    if (to === undefined)
      this.#outgoing.set(receiver, (to = { waiting: [], posting: null, number: 0, quiet: 0, refused: null }))
    to.waiting.push(...messages)
    if (messages.length > 0) to.quiet = 0
    if (to.refused === null) to.posting ??= this.#deliver(receiver, to)
  }

  /** That program is gone: what is on its way there is dropped. Nobody else gets its name, so what it said is never read again. */
  forget(program: string): void {
    const to = this.#outgoing.get(program)
    if (to?.refused != null) clearTimeout(to.refused)
    this.#outgoing.delete(program)
  }

  /** Looks for messages of which no word has come. */
  look(): void {
    void this.#look()
  }

  /** At each beat: looks, and says how far it has come to whom it has said nothing for 1, 2, 4, … beats. */
  beat(): void {
    this.look()
    for (const [receiver, to] of this.#outgoing) {
      to.quiet += 1
      if (SAID_AGAIN.has(to.quiet)) this.send(receiver)
    }
  }

  /** Resolves when what was sent has left, or cannot. */
  async flushed(): Promise<void> {
    for (const { posting } of this.#outgoing.values()) await posting
  }

  close(): void {
    this.#closed = true
    for (const stop of this.#stops) stop()
    for (const program of this.#outgoing.keys()) this.forget(program)
  }

  async #deliver(receiver: string, to: Outgoing): Promise<void> {
    // Later in this turn, so that what is sent together travels together.
    await Promise.resolve()
    const { session, wakes, sessionTtl } = this.#around
    const { sid } = session
    try {
      do {
        const messages = take(to.waiting)
        if (messages.length > 0) to.number += 1
        const entry = this.#entry(receiver, sid, to.number, Buffer.concat(packed(messages)))
        const args = [KEPT_TTLS * sessionTtl, wakes.prefix + receiver, entry]
        // Without a deadline: it waits out a lost connection, and the loss of the session ends it.
        await this.#post.call([this.#keys.inbox(receiver)], args, { deadline: Number.POSITIVE_INFINITY })
      } while (to.waiting.length > 0 && this.#outgoing.get(receiver) === to)
    } catch (error) {
      // With its session, the program has lost all that it had with others.
      if (this.#outgoing.get(receiver) === to && !this.#closed) this.#refused(receiver, to, error as Error)
    }
    to.posting = null
  }

  #entry(receiver: string, sender: string, number: number, body: Buffer): Buffer {
    const { seal } = this.#around
    const signed = seal === null ? '' : ` ${seal.of({ receiver, sender, number, body })}`
    return Buffer.concat([Buffer.from(`${PROTOCOL} ${sender} ${number}${signed}\n`), body])
  }

  /** Its number is not given again: an earlier sending may have arrived. */
  #refused(receiver: string, to: Outgoing, error: Error): void {
    to.waiting = []
    this.#events.broken(receiver, error)
    // What the receiver must know of that is tried until it is known.
    to.refused = setTimeout(() => {
      to.refused = null
      this.send(receiver)
    }, this.#around.beat)
  }

  async #look(): Promise<void> {
    if (this.#reading) {
      this.#again = true
      return
    }
    this.#reading = true
    const { sid } = this.#around.session
    let before: readonly Buffer[] = []
    try {
      do {
        this.#again = false
        do {
          const [first, last] = [beginning(before[0]), beginning(before.at(-1))]
          before = await this.#read.call([this.#keys.inbox(sid)], [first, last, before.length, PAGE])
          // A program that was stopped reads what has come before it hears of its loss: to the others it is dead, and must begin nothing.
          if (this.#closed || sid !== this.#around.session.sid || !this.#lives) return
          for (const entry of before) this.#arrived(entry)
        } while (before.length > 0)
      } while (this.#again)
    } catch (error) {
      // Asked again when the connection is there again, with the next message, or at the next beat.
      if (!(error instanceof ConnectionError || error instanceof ClosedError)) reportDefect('its messages', error)
    } finally {
      this.#reading = false
    }
    // It was to look under its next name while it still waited for an answer to the one before.
    if (this.#again && sid !== this.#around.session.sid && !this.#closed) this.look()
  }

  get #lives(): boolean {
    const { mono, wall } = this.#around.session.confirmedUntil
    return monotonic() < mono && Date.now() < wall
  }

  #arrived(entry: Buffer): void {
    const head = headOf(entry)
    // Somebody else's, or of another protocol.
    if (head === null) return
    const { sender, number, at } = head
    const body = entry.subarray(at)
    if (!this.#isGenuine(head, body)) {
      this.#events.forged(sender)
      return
    }
    const seen = this.#seen.get(sender) ?? 0
    const messages = [...unpacked(body)]
    if (number <= seen) return
    // Behind those of whom nothing has come for longer.
    this.#seen.delete(sender)
    this.#seen.set(sender, number)
    if (this.#seen.size > MOST_SENDERS) this.#forgetOldest()
    if (number > seen + 1 || messages.length === 0) this.#events.broken(sender, null)
    for (const message of messages) this.#events.received(sender, message)
  }

  #forgetOldest(): void {
    const [oldest] = this.#seen.keys()
    if (oldest !== undefined) this.#seen.delete(oldest)
  }

  #isGenuine({ sender, number, seal }: Head, body: Buffer): boolean {
    const { seal: own, session } = this.#around
    if (own === null) return seal === ''
    return own.holds(seal, { receiver: session.sid, sender, number, body })
  }
}

/** Tells an entry from those before and behind it. */
function beginning(entry: Buffer | undefined): Buffer {
  return entry?.subarray(0, HEAD) ?? Buffer.alloc(0)
}

function headOf(entry: Buffer): Head | null {
  const end = entry.subarray(0, HEAD).indexOf('\n')
  const line = entry.toString('latin1', 0, Math.max(0, end))
  const [, protocol, sender, digits, seal = ''] = /^(\d+) (\S+) (\d+)(?: ([\w-]+))?$/.exec(line) ?? []
  if (sender === undefined || Number(protocol) !== PROTOCOL || !Number.isSafeInteger(Number(digits))) return null
  return { sender, number: Number(digits), seal, at: end + 1 }
}

function take(waiting: Buffer[]): Buffer[] {
  let bytes = 0
  let count = 0
  while (count < waiting.length && (count === 0 || bytes + (waiting[count] as Buffer).length <= ENOUGH)) {
    bytes += (waiting[count] as Buffer).length
    count += 1
  }
  return waiting.splice(0, count)
}

/** Each message with its length before it. */
function packed(messages: readonly Buffer[]): Buffer[] {
  return messages.flatMap((message) => {
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32LE(message.length)
    return [length, message]
  })
}

function* unpacked(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt32LE(at)
    yield bytes.subarray(at + 4, at + 4 + length)
    at += 4 + length
  }
}
