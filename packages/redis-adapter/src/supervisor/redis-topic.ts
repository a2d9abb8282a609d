/**
 * A topic in Redis, as this program's supervisor has it. Messages stand in a stream for those programs that listen; each is told that there
 * are some, reads on from where it was, and sends them to its processes. They are numbered without gaps: one that is missing, because the
 * program was away for longer than the stream reaches, is told to who was to hear it.
 */
import { StateError } from '@skein/core'
import { BrokerObject, type Call, Listeners, type Methods, type Session } from '@skein/core/adapter'
import { Errands } from './errands.ts'
import { type Surround, tagOf } from './surround.ts'
import { type Message, TopicCommands } from './topic-commands.ts'

/** For who was to hear what is not there. */
const MISSED =
  'this program was away for longer than messages are kept (60 s, or 10,000 of them), or Redis has come back without its data'

/** How many messages are read at once. */
const PAGE = 200

export class RedisTopic extends BrokerObject {
  readonly #around: Surround
  readonly #commands: TopicCommands
  readonly #listeners = new Listeners()
  readonly #errands = new Errands()
  readonly #stops: readonly (() => void)[]
  /** The last message that was read; null: this program does not listen. */
  #last: number | null = null
  #reading = false
  /** Told of messages while reading. */
  #again = false
  #timer: NodeJS.Timeout | undefined
  /** How many listened when Redis was told who does. */
  #told = 0

  constructor(name: string, around: Surround) {
    super('topic', name)
    this.#around = around
    this.#commands = new TopicCommands(around, tagOf('topic', name), (letter) => this.#woken(letter))
    const { store, wakes, session } = around
    this.#stops = [
      store.onConnected(() => {
        this.#errands.again()
        this.#read()
      }),
      wakes.onResubscribed(() => this.#read()),
      session.onReborn(() => {
        if (this.#last !== null) this.#errands.run(() => this.#join())
        this.#read()
      }),
    ]
  }

  protected override readonly methods: Methods = {
    publish: (call) => this.#publish(call),
  }

  protected override async erase(): Promise<void> {
    await this.#commands.destroy()
  }

  override post(session: Session, object: number, method: string, args: readonly unknown[]): void {
    const [id, messages, bytes] = args as [number, number, number]
    if (method === 'subscribe') this.#subscribe(session, object, id)
    else if (method === 'taken') this.#listeners.taken(session, object, id, [messages, bytes])
    else if (method === 'unsubscribe') {
      this.#listeners.remove(session, object, id)
      this.#leaveIfAlone()
    } else super.post(session, object, method, args)
  }

  override check(): void {
    // A topic has no shape.
  }

  override leave(session: Session): void {
    this.#listeners.leave(session)
    this.#leaveIfAlone()
  }

  override end(): void {
    clearTimeout(this.#timer)
    for (const stop of this.#stops) stop()
    this.#commands.stop()
    this.#errands.end()
    this.#last = null
  }

  #publish(call: Call): void {
    const rid = this.#around.session.rid(call.session)
    this.#commands.publish(rid, (call.args as [Uint8Array])[0]).then(
      () => call.ok(),
      (error: unknown) => call.fail(error as Error),
    )
  }

  /** What is sent to Redis after this comes after it there: so whoever is told afterwards that this process listens may rely on that. */
  #subscribe(session: Session, number: number, id: number): void {
    this.#listeners.add(session, number, id, Number.POSITIVE_INFINITY)
    this.#join().then(
      (last) => {
        this.#listeners.since(session, number, id, last)
        if (this.#listeners.size === 0) return
        this.#last ??= last
        this.#read()
      },
      (error: unknown) => this.#listeners.drop(session, number, id, `it could not listen: ${(error as Error).message}`),
    )
  }

  #join(): Promise<number> {
    this.#told = this.#listeners.size
    return this.#commands.join(this.#listeners.parties)
  }

  /** Tells who listens still, after some have left; who comes is told by `#join`. */
  #tellWho(): void {
    if (this.#told === this.#listeners.size) return
    this.#told = this.#listeners.size
    this.#errands.run(() => this.#commands.listenFor(this.#listeners.parties))
  }

  #leaveIfAlone(): void {
    if (this.#listeners.size > 0) {
      this.#tellWho()
      return
    }
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#last = null
    this.#errands.run(async () => {
      // Done late, it would take away who has come since.
      if (this.#listeners.size === 0) await this.#commands.leave()
    })
  }

  #woken(letter: string): void {
    if (letter === 'm') this.#read()
    else if (letter === 'x') this.remove?.(new StateError(`${this.label} was destroyed by another program`))
  }

  /** Reads on; and again after each beat, which also says that this program still listens. */
  #read(): void {
    const after = this.#last
    if (after === null) return
    if (this.#reading) {
      this.#again = true
      return
    }
    this.#reading = true
    this.#tellWho()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#read(), this.#around.beat)
    this.#timer.unref()
    this.#commands.read(after, PAGE).then(
      ({ last, messages }) => this.#came(after, last, messages),
      () => this.#came(after, after, []),
    )
  }

  #came(after: number, last: number | null, messages: readonly Message[]): void {
    this.#reading = false
    const again = this.#again || messages.length === PAGE
    this.#again = false
    // Nobody has listened meanwhile, or only others.
    if (this.#last !== after) {
      this.#read()
      return
    }
    this.#last = this.#passOn(after, last, messages)
    if (this.#last === null) this.#leaveIfAlone()
    else if (again) this.#read()
  }

  /** @returns how far this program has come; null: Redis cannot say */
  #passOn(after: number, last: number | null, messages: readonly Message[]): number | null {
    let heard = after
    for (const { serial, bytes } of messages) {
      if (serial !== heard + 1) this.#listeners.missed(serial - 2, MISSED)
      this.#listeners.publish(serial, bytes)
      heard = serial
    }
    if (last === null) {
      this.#listeners.missed(Number.MAX_SAFE_INTEGER, MISSED)
      return null
    }
    if (messages.length === PAGE || heard >= last) return heard
    this.#listeners.missed(last - 1, MISSED)
    return last
  }
}
