/** The messages towards one end of a pipe, as a queue that the processes of this program put into and get from. */
import { Buffer } from 'node:buffer'
import { BrokenPipeError, EndOfStreamError, StateError } from '@skein/core'
import {
  BrokerObject,
  type Call,
  type End,
  type Frame,
  inboxName,
  type Methods,
  off,
  op,
  type Session,
} from '@skein/core/adapter'
import type { Errands } from './errands.ts'
import { Line } from './line.ts'
import type { PipeCommands } from './pipe-commands.ts'
import type { Surround } from './surround.ts'

/** Milliseconds that a process gets to return what it has not handed out. */
const PATIENCE = 20

export interface InboxEvents {
  /** That process has used that end. */
  used(by: Session, end: End): void
  /** Somebody waits for what that program may send. */
  suspect(sid: string): void
  /** Somebody waits. */
  waits(): void
}

interface User {
  readonly session: Session
  readonly number: number
  /** Sent to the process, which has not said yet that it has handed them out: request ids by the message's number. */
  readonly out: Map<number, string>
}

export class RedisPipeInbox extends BrokerObject {
  readonly #end: End
  readonly #other: End
  readonly #around: Surround
  readonly #commands: PipeCommands
  readonly #errands: Errands
  readonly #events: InboxEvents
  readonly #users = new Map<string, User>()
  readonly #getters: Line
  readonly #putters: Line
  /** Gets that wait for what another process returns, which comes first. */
  #recalling: { readonly timer: NodeJS.Timeout; readonly then: (() => void)[] } | null = null
  #count = 0

  constructor(pipe: string, end: End, around: Surround, commands: PipeCommands, errands: Errands, events: InboxEvents) {
    super('queue', inboxName(pipe, end))
    this.#end = end
    this.#other = end === 0 ? 1 : 0
    this.#around = around
    this.#commands = commands
    this.#errands = errands
    this.#events = events
    const { session, outage } = around
    const rid = (of: Session): string => session.rid(of)
    const back = (given: string): void => errands.run(() => commands.back(end, [given]))
    this.#getters = new Line({ rid, outage, giveUp: back })
    // What was sent is sent.
    this.#putters = new Line({ rid, outage, giveUp: () => undefined })
  }

  protected override readonly methods: Methods = {
    put: (call) => this.#put(call),
    get: (call) => this.#get(call),
  }

  override post(session: Session, object: number, method: string, args: readonly unknown[]): void {
    if (method !== 'return') return
    const user = this.#users.get(key(session, object))
    const rids = (args[0] as readonly number[]).flatMap((number) => {
      const rid = user?.out.get(number)
      user?.out.delete(number)
      return rid ?? []
    })
    if (rids.length > 0) this.#errands.run(() => this.#commands.back(this.#end, rids.toReversed()))
    this.#recalled()
  }

  override frame(session: Session, frame: Frame): void {
    const user = this.#users.get(key(session, frame.a))
    if (user === undefined || frame.op !== op.taken) return
    const rids: string[] = []
    for (const [number, rid] of user.out) {
      user.out.delete(number)
      rids.push(rid)
      if (number === frame.b) break
    }
    if (rids.length > 0) this.#errands.run(() => this.#commands.taken(this.#end, rids))
  }

  override check(): void {
    // It is the pipe's.
  }

  override join(session: Session, number: number): void {
    this.#users.set(key(session, number), { session, number, out: new Map() })
  }

  override leave(session: Session): void {
    for (const [id, user] of this.#users) {
      if (user.session !== session) continue
      this.#users.delete(id)
      const rids = [...user.out.values()].toReversed()
      if (rids.length > 0) this.#errands.run(() => this.#commands.back(this.#end, rids))
    }
    this.#recalled()
  }

  override end(reason: Error): void {
    clearTimeout(this.#recalling?.timer)
    this.#recalling = null
    this.#getters.fail(reason)
    this.#putters.fail(reason)
    this.#users.clear()
  }

  get waiting(): boolean {
    return this.#getters.length > 0 || this.#putters.length > 0
  }

  wake(rid: string): void {
    this.#getters.wake(rid)
  }

  wakeAll(): void {
    this.#getters.wakeAll()
    this.#putters.wakeAll()
  }

  look(): void {
    this.#getters.look()
    this.#putters.look()
  }

  /** The program is known under another name. What its processes have of the pipe stays theirs; what was asked is asked anew. */
  reenter(): void {
    const rids = this.#getters.rids.toReversed()
    if (rids.length > 0) this.#errands.run(() => this.#commands.back(this.#end, rids))
    this.#putters.reenter(new Set())
    this.#getters.reenter(new Set())
  }

  #put(call: Call): void {
    const [bytes] = call.args as [Uint8Array]
    const { session } = this.#around
    this.#events.used(call.session, this.#other)
    // Of its own, since it stays the same message under another session.
    const id = session.rid(call.session)
    this.#events.waits()
    this.#putters.add({
      call,
      poll: false,
      ask: async () => {
        const answer = await this.#commands.send(this.#other, session.processOf(call.session), id, bytes)
        if (answer === 'sent') return () => call.ok(0)
        return () => call.fail(answer === 'broken' ? brokenPipe() : pipeGone())
      },
    })
  }

  #get(call: Call): void {
    const poll = call.args[0] === true
    const user = this.#users.get(key(call.session, call.object))
    if (user === undefined) {
      call.fail(pipeGone())
      return
    }
    this.#events.used(call.session, this.#end)
    if (this.#recalling === null && !this.#recall(user)) {
      this.#ask(call, user, poll)
      return
    }
    let given = false
    call.waits(() => {
      given = true
    })
    this.#recalling?.then.push(() => {
      if (!given) this.#ask(call, user, poll)
    })
  }

  #ask(call: Call, user: User, poll: boolean): void {
    const { session } = this.#around
    this.#events.waits()
    this.#getters.add({
      call,
      poll,
      ask: async (rid, mode) => {
        const answer = await this.#commands.recv(this.#end, session.processOf(call.session), rid, mode === 'poll')
        if (answer.kind === 'message') return () => this.#hand(user, call, rid, answer.data)
        if (answer.kind === 'end') return () => call.fail(endOfStream())
        if (answer.kind === 'closed') return () => call.fail(pipeGone())
        if (answer.other !== null) this.#events.suspect(answer.other)
        return answer.kind === 'none' ? () => call.ok(null) : null
      },
    })
  }

  #hand(user: User, call: Call, rid: string, data: Buffer): void {
    this.#count = (this.#count % 0xffff_ffff) + 1
    user.out.set(this.#count, rid)
    // First the word, then the message: one without a word is one that travels ahead.
    call.ok(true)
    const head = Buffer.allocUnsafe(12)
    head.writeUInt32LE(1, 0)
    head.writeUInt32LE(off.slot, 4)
    head.writeUInt32LE(off.tag, 8)
    user.session.send(op.item, user.number, this.#count, head, data)
  }

  /** What another process has looked at and not taken comes before all else. A blocked one does not answer; then the rest goes on. */
  #recall(hungry: User): boolean {
    const others = [...this.#users.values()].filter((user) => user !== hungry && user.out.size > 0)
    if (others.length === 0) return false
    for (const { session, number } of others) session.event(number, 'recall')
    this.#recalling = { timer: setTimeout(() => this.#recalled(), PATIENCE), then: [] }
    return true
  }

  #recalled(): void {
    const recalling = this.#recalling
    if (recalling === null) return
    this.#recalling = null
    clearTimeout(recalling.timer)
    for (const one of recalling.then) one()
  }
}

function key(session: Session, number: number): string {
  return `${session.serial} ${number}`
}

/** What a sender hears when nobody will receive. */
function brokenPipe(): BrokenPipeError {
  return new BrokenPipeError('the other end of the pipe is closed; nothing can be sent to it')
}

/** What a receiver hears when nothing will come. */
function endOfStream(): EndOfStreamError {
  return new EndOfStreamError('the other end of the pipe is closed and everything it sent was received')
}

/** What the end that was closed, or the pipe that Redis no longer knows, answers. */
function pipeGone(): StateError {
  return new StateError('this end of the pipe was closed, or Redis has lost the pipe; make another one')
}
