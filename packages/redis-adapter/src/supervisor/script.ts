/**
 * Runs Lua scripts: each known to the server by its digest, sent in the order of asking, sent again in that order after a lost
 * connection, and given up at its deadline. The client would send again whatever had no answer, however late.
 */
import { ClosedError, ConnectionError } from '@skein/core'
import { soon } from '@skein/core/adapter'
import type { Redis } from 'ioredis'
import { failureOf, isMoved, isNoScript, isPassing, isReply, type Mask, Moved } from './failure.ts'
import { headOf, headWithText, ScriptCommand, type ScriptHead } from './script-command.ts'
import { ScriptLibrary } from './script-library.ts'
import type { Entry } from './script-entry.ts'
import { COMMAND_DEADLINE } from './settings.ts'
import { Succession } from './succession.ts'
import type { GatedStore, Met, Part, Script, ScriptArgument, ScriptOptions } from './surround.ts'

/** How often deadlines are looked at, in ms. */
const TICK = 100

export interface ScriptsOptions {
  readonly client: Redis
  readonly masters: readonly Redis[]
  /** The server's, for messages. */
  readonly where: string
  readonly mask: Mask
  /** The server takes `#!lua flags=…`: from 7.0 on. */
  readonly flags: boolean
}

export class Scripts implements GatedStore {
  readonly client: Redis
  readonly parts: readonly Part[] = [this]
  readonly masters: readonly Redis[]
  readonly #where: string
  readonly #mask: Mask
  readonly #library: ScriptLibrary
  readonly #succession: Succession
  /** Sent and not answered, in the order of sending. */
  readonly #flight = new Set<Entry>()
  /** To be sent, in order. */
  #held: Entry[] = []
  #asked = 0
  readonly #connected = new Set<() => void>()
  readonly #lost = new Set<() => void>()
  #timer: NodeJS.Timeout | null = null
  #lastTick = 0
  #up: boolean
  #gate = true
  /** The stream on which commands are gathered. */
  #gathering: Redis['stream'] | null = null
  #closed = false

  constructor({ client, masters, where, mask, flags }: ScriptsOptions) {
    this.client = client
    this.masters = masters
    this.#where = where
    this.#mask = mask
    this.#library = new ScriptLibrary(client, flags)
    this.#up = client.status === 'ready'
    this.#succession = new Succession(client)
    if (this.#up) this.#succession.began()
    client.on('ready', () => this.#onReady())
    client.on('close', () => this.#onClose())
  }

  get state(): 'connected' | 'suspended' {
    return this.#up && this.#gate ? 'connected' : 'suspended'
  }

  get up(): boolean {
    return this.#up
  }

  onConnected(told: () => void): () => void {
    this.#connected.add(told)
    return () => this.#connected.delete(told)
  }

  partOf(): Part {
    return this
  }

  met(): Met {
    return []
  }

  onReady(told: () => void): () => void {
    this.client.on('ready', told)
    return () => this.client.removeListener('ready', told)
  }

  onLost(told: () => void): () => void {
    this.#lost.add(told)
    return () => this.#lost.delete(told)
  }

  script<A extends readonly ScriptArgument[], R>(name: string, options: ScriptOptions = {}): Script<A, R> {
    return this.#script(name, options, false)
  }

  urgent<A extends readonly ScriptArgument[], R>(name: string, options: ScriptOptions = {}): Script<A, R> {
    return this.#script(name, options, true)
  }

  resume(): void {
    if (this.#gate) return
    this.#gate = true
    this.#flush()
    this.tellConnected()
  }

  closeGate(): void {
    this.#gate = false
    this.#refuse(({ urgent }) => !urgent)
  }

  openGate(): void {
    this.forget()
    this.#gate = true
    this.#flush()
  }

  /** What was asked in the name of the session before, and in none, is given up. */
  forget(): void {
    this.#refuse(({ urgent, options }) => !urgent && options.readOnly !== true)
  }

  /** The keys are another server's from now on: whatever has no answer is to be asked there. */
  handOver(): void {
    const over = [...this.#flight, ...this.#held]
    this.#flight.clear()
    this.#held = []
    for (const entry of over) {
      const mayHaveRun = entry.sent > 0 && entry.options.readOnly !== true
      entry.sent = -1
      entry.reject(new Moved(mayHaveRun))
    }
  }

  #refuse(which: (entry: Entry) => boolean): void {
    const over = [...this.#flight, ...this.#held].filter(which)
    for (const entry of over) this.#flight.delete(entry)
    this.#held = this.#held.filter((entry) => !which(entry))
    for (const entry of over) {
      const told = `Redis at ${this.#where} was away for too long, so the session of this program is lost`
      entry.reject(
        new ConnectionError(told, {
          retryable: true,
          indeterminate: entry.sent > 0 && entry.options.readOnly !== true,
        }),
      )
      entry.sent = -1
    }
  }

  tellConnected(): void {
    for (const told of this.#connected) told()
  }

  renew(): void {
    this.client.disconnect(true)
  }

  failure(error: unknown): Error {
    return failureOf(error, this.#where, this.#mask)
  }

  async idle(patience: number): Promise<void> {
    const end = performance.now() + patience
    for (let quiet = 0; quiet < 3 && performance.now() < end;) {
      const busy = this.#flight.size > 0 || this.#held.length > 0
      quiet = busy ? 0 : quiet + 1
      // An answer may be what the next call waits for.
      await new Promise<void>((resolve) => (busy ? setTimeout(resolve, 1) : setImmediate(resolve)))
    }
  }

  close(): void {
    this.#closed = true
    const left = [...this.#flight, ...this.#held]
    this.#flight.clear()
    this.#held = []
    this.#rest()
    for (const entry of left) {
      entry.sent = -1
      entry.reject(new ClosedError('the context is closed; connect() again'))
    }
  }

  #script<A extends readonly ScriptArgument[], R>(name: string, options: ScriptOptions, urgent: boolean): Script<A, R> {
    const script = this.#library.load(name, options, this.#up)
    // An object calls with the same keys each time.
    let head: ScriptHead | null = null
    return {
      call: (keys, args, { deadline = COMMAND_DEADLINE } = {}) => {
        if (head?.keys !== keys) head = headOf(script, keys)
        return this.#call(head, args, options, deadline, urgent) as Promise<R>
      },
    }
  }

  #call(
    head: ScriptHead,
    args: readonly ScriptArgument[],
    options: ScriptOptions,
    deadline: number,
    urgent: boolean,
  ): Promise<unknown> {
    if (this.#closed) return Promise.reject(new ClosedError('the context is closed; connect() again'))
    return new Promise((resolve, reject) => {
      const due = performance.now() + deadline
      const entry: Entry = {
        order: ++this.#asked,
        head,
        args,
        options,
        urgent,
        due,
        waited: deadline,
        resolve,
        reject,
        sent: 0,
      }
      if (this.#timer === null) this.#watch()
      if (this.#maySend(entry) && (urgent || this.#held.length === 0)) this.#send(entry)
      else this.#hold(entry)
    })
  }

  #maySend({ urgent }: Entry): boolean {
    return this.#up && (this.#gate || urgent) && this.client.status === 'ready'
  }

  #send(entry: Entry, withText = false): void {
    const { head, args, options } = entry
    entry.sent += 1
    const attempt = entry.sent
    this.#flight.add(entry)
    this.#gather()
    const sending = new ScriptCommand(withText ? headWithText(head) : head, args, options.binary === true)
    void this.client.sendCommand(sending)
    sending.promise.then(
      (value) => {
        if (entry.sent === attempt && this.#flight.delete(entry)) entry.resolve(value)
      },
      (error: unknown) => {
        if (entry.sent === attempt && this.#flight.delete(entry)) this.#refused(entry, error)
      },
    )
  }

  /** What is asked in one turn leaves in one write: the write, and waking the server by it, takes longer than all the rest. */
  #gather(): void {
    const { stream } = this.client
    if (this.#gathering === stream) return
    this.#gathering = stream
    stream.cork()
    soon(() => {
      if (this.#gathering === stream) this.#gathering = null
      stream.uncork()
    })
  }

  #refused(entry: Entry, error: unknown): void {
    if (isNoScript(error)) {
      if (this.#maySend(entry)) this.#send(entry, true)
      else this.#hold(entry)
    } else if (isMoved(error)) entry.reject(new Moved(false))
    else if (isPassing(error) || !isReply(error)) {
      // Until the connection is there again; if it is not lost at all, until the next look.
      if (!this.#closed) this.#hold(entry)
    } else {
      entry.reject(failureOf(error, this.#where, this.#mask, entry.head.keys))
    }
  }

  /** A lost connection is told to the calls one by one, and others may be asked in between. */
  #hold(entry: Entry): void {
    let at = this.#held.length
    while (at > 0 && (this.#held[at - 1] as Entry).order > entry.order) at -= 1
    this.#held.splice(at, 0, entry)
  }

  #onReady(): void {
    this.#up = true
    this.#succession.began()
    this.#library.teachAll()
    // All but the session's own scripts wait for `resume`, or `openGate`: this may be another server, or an empty one.
    this.#flush()
  }

  #onClose(): void {
    if (!this.#up) return
    this.#up = false
    this.#gate = false
    for (const entry of this.#flight) this.#hold(entry)
    this.#flight.clear()
    for (const told of this.#lost) told()
  }

  #flush(): void {
    const due = this.#held
    this.#held = []
    for (const entry of due) {
      if (this.#maySend(entry)) this.#send(entry)
      else this.#hold(entry)
    }
  }

  #watch(): void {
    this.#lastTick = performance.now()
    this.#timer = setInterval(() => this.#tick(), TICK)
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #tick(): void {
    const now = performance.now()
    const late = now - this.#lastTick > 10 * TICK
    this.#lastTick = now
    // This thread stood still: answers may lie there unread.
    if (late) return
    if (this.#flight.size === 0 && this.#held.length === 0) {
      this.#rest()
      return
    }
    for (const entry of this.#flight) if (now >= entry.due) this.#giveUp(entry)
    for (const entry of this.#held) if (now >= entry.due) this.#giveUp(entry)
    this.#held = this.#held.filter((entry) => entry.sent >= 0)
    if (this.#held.length > 0) this.#flush()
  }

  #giveUp(entry: Entry): void {
    const { waited, options } = entry
    const indeterminate = entry.sent > 0 && options.readOnly !== true
    entry.sent = -1
    this.#flight.delete(entry)
    const state = this.#up ? 'gave no answer' : 'could not be reached'
    entry.reject(
      new ConnectionError(`Redis at ${this.#where} ${state} within ${waited} ms`, { retryable: true, indeterminate }),
    )
  }
}
