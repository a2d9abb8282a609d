/**
 * The program's session: Redis keeps it while it beats, and whatever the program's processes hold or wait for hangs on it. Until
 * when that is sure is counted from before each beat was sent, so it is never later than what Redis counts. Past that moment
 * the session is lost, whatever Redis still says of it, and the program goes on under another one.
 */
import { createHash, randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { LeaseLostError } from '@skein/core'
import { monotonic, reportDefect, type Session } from '@skein/core/adapter'
import { COMMAND_DEADLINE } from './settings.ts'
import type { GatedStore, Met, ProgramSession, Script } from './surround.ts'

/** For clocks that do not run at the same speed, and for what lies between reading one and sending. */
const DRIFT = 0.01
const MARGIN = 2

/** Of a program that ends: its own objects are gone, and nobody reads its messages any more. */
const CLEAR = `return redis.call('DEL', KEYS[1], KEYS[2])`

/** The keys of all sessions of a namespace. */
export interface SessionKeys {
  readonly live: string
  readonly info: string
  readonly dead: string
  readonly run: string
  /** Ids of the store: one, or several where it came back empty and did not know the first. */
  readonly store: string
  readonly own: (sid: string) => string
  readonly inbox: (sid: string) => string
}

export function sessionKeys(namespace: string): SessionKeys {
  const all = `{${namespace}:sessions}:`
  return {
    live: `${all}live`,
    info: `${all}info`,
    dead: `${all}dead`,
    run: `${all}run`,
    store: `${all}store`,
    own: (sid) => `{${namespace}:s:${sid}}:own`,
    inbox: (sid) => `{${namespace}:s:${sid}}:in`,
  }
}

export interface SessionOptions {
  readonly scripts: GatedStore
  readonly keys: SessionKeys
  readonly namespace: string
  readonly ttl: number
  readonly beat: number
  /** See `ServerFacts`. */
  readonly keeps: boolean
  /** For those who look: what is told of the program beside host and pid. */
  readonly about: Readonly<Record<string, unknown>>
  /** Told first of each new time until when the program surely keeps what it holds. */
  readonly confirmed: (until: { readonly mono: number; readonly wall: number }) => void
  /** Told first of a loss, before anything is done about it. */
  readonly gone: (reason: LeaseLostError) => void
  /** Told the ids of the store. */
  readonly stored: (ids: readonly string[]) => void
  /** Told after each beat: who else was declared dead since the one before. */
  readonly beaten: (dead: readonly string[]) => void
}

function freshSid(): string {
  const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 6)
  return `${host}.${process.pid.toString(36)}.${Date.now().toString(36)}.${randomBytes(4).toString('base64url').slice(0, 6)}`
}

function freshStoreId(): string {
  return randomBytes(8).toString('hex')
}

function inOrder(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}

/** A defect of one listener must not end the beating, nor keep the others from hearing of a loss. */
function tell(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    reportDefect('the session of this program', error)
  }
}

export class BeatingSession implements ProgramSession {
  readonly #options: SessionOptions
  readonly #open: Script<readonly (string | number)[], [number, number, string, string[]]>
  readonly #beat: Script<readonly (string | number)[], [number, number, string[], number, string, string[]]>
  readonly #close: Script<readonly string[], number>
  readonly #clear: Script<readonly string[], number>
  readonly #lost = new Set<(oldSid: string) => void>()
  readonly #reborn = new Set<(sid: string) => void>()
  #sid = freshSid()
  #lostSid = ''
  #until = { mono: 0, wall: 0 }
  #grantsFrom = 0
  #server = ''
  #storeId = ''
  #cursor = 0
  #requests = 0
  #deadline: NodeJS.Timeout | null = null
  #pause: { readonly timer: NodeJS.Timeout | null; readonly end: () => void } | null = null
  #alive = false
  #closed = false

  constructor(options: SessionOptions) {
    this.#options = options
    const { scripts } = options
    this.#open = scripts.urgent('session-open', { prelude: '_server', allowOom: true })
    this.#beat = scripts.urgent('session-beat', { prelude: '_server', allowOom: true })
    this.#close = scripts.urgent('session-close', { allowOom: true })
    this.#clear = scripts.urgent('session-clear', { text: CLEAR, allowOom: true })
    scripts.onReady(() => this.#wake())
  }

  get sid(): string {
    return this.#sid
  }

  /** Of the store, as this program knew it first: its handles carry it. */
  get storeId(): string {
    return this.#storeId
  }

  get confirmedUntil(): { readonly mono: number; readonly wall: number } {
    return this.#until
  }

  get grantsFrom(): number {
    return this.#grantsFrom
  }

  rid(session: Session): string {
    this.#requests += 1
    return `${this.processOf(session)}/${this.#requests}`
  }

  processOf(session: Session): string {
    return `${this.#sid}/${session.serial}`
  }

  onLost(told: (oldSid: string) => void): () => void {
    this.#lost.add(told)
    return () => this.#lost.delete(told)
  }

  onReborn(told: (sid: string) => void): () => void {
    this.#reborn.add(told)
    return () => this.#reborn.delete(told)
  }

  /** Makes the program known and begins to beat. Rejects if Redis cannot be asked. */
  async open(): Promise<void> {
    const { scripts } = this.#options
    const met = scripts.met()
    await this.#enter('', met, COMMAND_DEADLINE)
    scripts.resume(met)
    void this.#run()
  }

  /** What the program held must have been given back. Gives up after a while without Redis, which then waits for the end of the ttl. */
  async close(patience: number): Promise<void> {
    this.abandon()
    const { keys } = this.#options
    const [sid, wait] = [this.#sid, { deadline: patience }]
    // In this order: once nobody knows the session, nobody would clear its own keys away.
    const steps = [
      this.#clear.call([keys.own(sid), keys.inbox(sid)], [], wait),
      this.#close.call([keys.live, keys.info], [sid], wait),
    ]
    try {
      await Promise.all(steps)
    } catch {
      // Nobody to tell; the sweeper of another program will find it silent.
    }
  }

  /** Beats no more. */
  abandon(): void {
    this.#closed = true
    this.#alive = false
    if (this.#deadline !== null) clearTimeout(this.#deadline)
    this.#wake()
  }

  #remaining(): number {
    return Math.min(this.#until.mono - monotonic(), this.#until.wall - Date.now())
  }

  async #enter(old: string, met: Met, deadline: number): Promise<void> {
    const { keys, ttl, namespace, about, keeps, stored } = this.#options
    const info = JSON.stringify({ host: hostname(), pid: process.pid, since: Date.now(), ...about })
    for (;;) {
      const mono = monotonic()
      const wall = Date.now()
      const known = [this.#storeId, freshStoreId(), met.join(' ')]
      const args = [this.#sid, ttl, info, old, `${namespace}:all`, keeps ? 1 : 0, ...known]
      const all = [keys.live, keys.info, keys.dead, keys.run, keys.store]
      const [now, quiet, server, ids] = await this.#open.call(all, args, { deadline })
      if (now >= 0) {
        if (this.#storeId === '') this.#storeId = ids.toSorted(inOrder)[0] as string
        stored(ids)
        this.#server = server
        this.#grantsFrom = monotonic() + quiet
        // The dead of the last hour: whoever waits behind one of them may have to be told.
        this.#cursor = Math.max(0, now - 3_600_000)
        this.#alive = true
        this.#confirm(mono, wall)
        return
      }
      this.#sid = freshSid()
    }
  }

  #confirm(mono: number, wall: number): void {
    const sure = this.#options.ttl * (1 - DRIFT) - MARGIN
    this.#until = { mono: mono + sure, wall: wall + sure }
    tell(() => this.#options.confirmed(this.#until))
    if (this.#deadline !== null) clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.#look(), Math.max(1, this.#remaining()))
  }

  #look(): void {
    if (!this.#alive) return
    const left = this.#remaining()
    if (left <= 0) this.#lose()
    else this.#deadline = setTimeout(() => this.#look(), left)
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const began = monotonic()
      if (!this.#alive) await this.#return()
      else if (this.#remaining() <= 0) this.#lose()
      else if (this.#options.scripts.up) await this.#beatOnce(began)
      if (this.#closed) return
      if (this.#alive) await this.#sleep(Math.max(0, began + this.#options.beat - monotonic()))
    }
  }

  async #beatOnce(mono: number): Promise<void> {
    const { keys, ttl, keeps, scripts, beaten, stored } = this.#options
    const wall = Date.now()
    const sid = this.#sid
    const met = scripts.met()
    let answer
    try {
      const args = [sid, ttl, this.#cursor, keeps ? 1 : 0, met.join(' ')]
      const deadline = Math.min(ttl, COMMAND_DEADLINE)
      const all = [keys.live, keys.info, keys.dead, keys.run, keys.store]
      answer = await this.#beat.call(all, args, { deadline })
    } catch {
      // Silence on a connection that looks sound: another one may reach the server, or another server.
      if (!this.#closed && scripts.up) scripts.renew()
      return
    }
    // Lost, or closed, while the beat was under way.
    if (!this.#alive || this.#sid !== sid) return
    const [ours, now, dead, quiet, server, ids] = answer
    this.#grantsFrom = monotonic() + quiet
    // A server that has started anew may lack the last writes of the one before, and nobody could tell which.
    const forgotten = ours === 0 || (server !== this.#server && !keeps)
    if (this.#remaining() <= 0 || forgotten) {
      this.#lose(forgotten)
      return
    }
    this.#server = server
    this.#confirm(mono, wall)
    stored(ids)
    this.#cursor = now
    scripts.resume(met)
    tell(() => beaten(dead))
  }

  #lose(forgotten = false): void {
    const { ttl, gone } = this.#options
    const old = this.#sid
    this.#alive = false
    this.#until = { mono: 0, wall: 0 }
    const why = forgotten
      ? 'Redis has declared this program dead, or has started anew without all that it knew'
      : `this program could not reach Redis for ${ttl} ms (sessionTtl), or stood still for as long`
    tell(() => gone(new LeaseLostError(`${why}; others may have what it held`)))
    this.#sid = freshSid()
    this.#lostSid = old
    this.#options.scripts.closeGate()
    for (const told of this.#lost) tell(() => told(old))
    this.#wake()
  }

  /** Back under another sid, as soon as Redis can be asked. */
  async #return(): Promise<void> {
    const { scripts, beat } = this.#options
    if (!scripts.up) {
      // `ready` wakes it.
      await this.#sleep(null)
      return
    }
    const met = scripts.met()
    try {
      // It lives from the moment it asks: an answer that comes much later, since the server was not ready, would be the end of it.
      // Where each answer takes more than half of the ttl, the first beat comes too late anyway.
      await this.#enter(this.#lostSid, met, Math.min(this.#options.ttl / 2, COMMAND_DEADLINE))
    } catch {
      await this.#sleep(beat)
      return
    }
    if (this.#closed) return
    scripts.openGate(met)
    for (const told of this.#reborn) tell(() => told(this.#sid))
    tell(() => scripts.tellConnected())
  }

  async #sleep(time: number | null): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = time === null ? null : setTimeout(resolve, time)
      this.#pause = { timer, end: resolve }
    })
    this.#pause = null
  }

  #wake(): void {
    if (this.#pause === null) return
    if (this.#pause.timer !== null) clearTimeout(this.#pause.timer)
    this.#pause.end()
  }
}
