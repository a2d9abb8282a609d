/**
 * Who of this program's processes may keep what it holds, and until when. The store confirms the program as a whole; here each process
 * is asked for a sign of life, and one that gives none is looked up: a stopped one loses what it holds, one that computes keeps it.
 */
import type { ConnectSettings } from '../contract/adapter-module.ts'
import { encode } from '../codec/index.ts'
import { LeaseLostError } from '../errors.ts'
import { monotonic } from '../util/clock.ts'
import { op } from '../wire/frame.ts'
import type { SlotHandle, TenureNumber, Until } from '../wire/tenure-slot.ts'
import type { Session } from './broker/session.ts'
import { stoppedOf } from './process-state.ts'

const never: Until = { mono: 0, wall: 0 }

function earlier(one: Until, other: Until): Until {
  return { mono: Math.min(one.mono, other.mono), wall: Math.min(one.wall, other.wall) }
}

/** What is known of one process. */
export class Life {
  readonly session: Session
  readonly slot: SlotHandle | null
  /** By its own signs of life, on both clocks. */
  until: Until
  /** Of its two tenures: how often what it held under them was lost. */
  readonly epochs: [number, number] = [0, 0]
  /** Until when a majority keeps the locks that it holds. */
  locks: Until = never
  /** It has said something since the last look. */
  heard = false
  lastSign: number = monotonic()
  retired = false

  constructor(session: Session, slot: SlotHandle | null, until: Until) {
    this.session = session
    this.slot = slot
    this.until = until
  }
}

export class Liveness {
  readonly #settings: ConnectSettings
  readonly #lives = new Map<Session, Life>()
  readonly #timer: NodeJS.Timeout
  #confirmed: Until = never
  #interrupted = false

  constructor(settings: ConnectSettings) {
    this.#settings = settings
    this.#timer = setInterval(() => this.#beat(), settings.sessionTtl / 5)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** @param slot closed with `forget` */
  watch(session: Session, slot: SlotHandle | null): void {
    const life = new Life(session, slot, this.#soon())
    this.#lives.set(session, life)
    session.heard = () => this.#heard(life)
    this.#write(life)
    if (this.#interrupted) session.send(op.interrupted, 1, 0)
  }

  forget(session: Session): void {
    this.#lives.get(session)?.slot?.close()
    this.#lives.delete(session)
  }

  confirm(until: Until): void {
    this.#confirmed = until
    for (const life of this.#lives.values()) this.#write(life)
  }

  lose(reason: Error): void {
    this.#confirmed = never
    for (const life of this.#lives.values()) this.#end(life, 0, reason)
  }

  /** The same for the locks of one process that a majority of stores keeps. */
  confirmLocks(session: Session, until: Until | null): void {
    const life = this.#lives.get(session)
    if (life === undefined) return
    life.locks = until ?? never
    this.#write(life)
  }

  loseLocks(session: Session, reason: Error): void {
    const life = this.#lives.get(session)
    if (life !== undefined) this.#end(life, 1, reason)
  }

  interrupted(on: boolean): void {
    if (this.#interrupted === on) return
    this.#interrupted = on
    for (const { session } of this.#lives.values()) session.send(op.interrupted, on ? 1 : 0, 0)
  }

  #soon(): Until {
    const { sessionTtl } = this.#settings
    return { mono: monotonic() + sessionTtl, wall: Date.now() + sessionTtl }
  }

  #heard(life: Life): void {
    life.heard = true
    if (!life.retired) return
    life.retired = false
    this.#extend(life)
    life.session.resume()
  }

  #beat(): void {
    for (const { session } of this.#lives.values()) if (session.inUse) session.send(op.ping, 0, 0)
    // What they have written may still lie in their sockets, if this thread itself was held up: first that is read.
    setImmediate(() => this.#look())
  }

  #look(): void {
    const silent: Life[] = []
    for (const life of this.#lives.values()) {
      if (life.retired) continue
      // Nobody asked it anything, and there is nothing that it could lose.
      if (life.heard || !life.session.inUse) {
        life.heard = false
        life.lastSign = monotonic()
        this.#extend(life)
      } else silent.push(life)
    }
    if (silent.length === 0) return
    const pids = silent.map(({ session }) => session.process.pid)
    stoppedOf(pids, (stopped) => {
      for (const life of silent) this.#judge(life, stopped.has(life.session.process.pid))
    })
  }

  #judge(life: Life, stopped: boolean): void {
    if (life.retired || life.session.over) return
    const now = monotonic()
    const stalled = now > life.lastSign + this.#settings.stallLimit
    if (!stopped && !stalled) this.#extend(life)
    else if (now >= life.until.mono || Date.now() >= life.until.wall) this.#retire(life, stopped)
  }

  #extend(life: Life): void {
    life.until = this.#soon()
    this.#write(life)
  }

  #retire(life: Life, stopped: boolean): void {
    const { sessionTtl, stallLimit } = this.#settings
    const why = stopped
      ? `was stopped for ${sessionTtl} ms (sessionTtl)`
      : `did not let its event loop turn for ${stallLimit} ms (stallLimit)`
    const { name, pid } = life.session.process
    life.retired = true
    const reason = new LeaseLostError(`process ${name} (pid ${pid}) ${why}; others may have what it held`)
    this.#end(life, 0, reason)
    this.#end(life, 1, reason)
    life.session.suspend()
  }

  /** First where the process reads it, then by word. */
  #end({ slot, epochs, session }: Life, tenure: TenureNumber, reason: Error): void {
    epochs[tenure] += 1
    const epoch = epochs[tenure]
    slot?.write(tenure, { ...never, epoch })
    session.send(op.lost, epoch, tenure, encode(reason))
  }

  #write({ slot, epochs, until, locks, retired }: Life): void {
    if (slot === null || retired) return
    slot.write(0, { ...earlier(this.#confirmed, until), epoch: epochs[0] })
    slot.write(1, { ...earlier(locks, until), epoch: epochs[1] })
  }
}
