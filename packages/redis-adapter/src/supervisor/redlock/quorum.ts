/** What the locks of one program on several masters share: the masters, the line of those who wait, and the renewal of what is held. */
import { LeaseLostError } from '@skein/core'
import type { Session } from '@skein/core/adapter'
import type { Surround } from '../surround.ts'
import { Debts } from './debts.ts'
import { HintQueue } from './hint-queue.ts'
import { type Deadline, type Held, left, QuorumExecutor } from './quorum-executor.ts'
import { QuorumFence } from './quorum-fence.ts'

/** Where processes read how long what they hold here is theirs. */
export interface QuorumTenure {
  /** The process keeps what it holds here until then at least; `null`: it holds nothing. Told before a grant is. */
  confirm(session: Session, until: Deadline | null): void
  /** The process has lost what it holds here, and is told before anything is given back. */
  lose(session: Session, reason: Error): void
}

/** A lock that a process of this program holds. */
export interface QuorumHold {
  readonly key: string
  readonly session: Session
  held: Held
  /** Its place in the line, of which it is the head, and the master that has the line; `null`: none answered. */
  readonly id: string
  readonly ticket: string
  master: number | null
  /** For messages. */
  readonly label: string
  /** Its time is over: it is to be let go. */
  lost(): void
}

export class Quorum {
  readonly executor: QuorumExecutor
  readonly fence: QuorumFence
  readonly hints: HintQueue
  readonly tenure: QuorumTenure
  /** In ms. */
  readonly lease: number
  readonly masters: Surround['store']['masters']
  readonly #beat: number
  readonly #holds = new Set<QuorumHold>()
  readonly #leaving = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | null = null
  #renewing = false
  /** A master has come back while a renewal was under way. */
  #again = false

  constructor(around: Surround, tenure: QuorumTenure) {
    const { masters } = around.store
    this.masters = masters
    this.tenure = tenure
    this.lease = around.sessionTtl
    this.#beat = around.beat
    const debts = new Debts(masters, this.lease)
    this.executor = new QuorumExecutor(masters, debts)
    this.fence = new QuorumFence(masters)
    this.hints = new HintQueue(masters, debts, around.namespace, around.sessionTtl)
    this.#arm(this.#beat)
    // It may have come back empty, and votes for others until what is held is there again.
    for (const master of masters) master.on('ready', () => this.#hurry())
  }

  /** Renewed from now on. */
  add(hold: QuorumHold): void {
    this.#holds.add(hold)
    this.#confirm(hold.session)
  }

  /** Gives it back, and tells who is next. Resolves when that is done, or the masters are away. */
  letGo(hold: QuorumHold): Promise<void> {
    if (this.#holds.delete(hold)) this.#confirm(hold.session)
    const leaving = this.#letGo(hold)
    this.#leaving.add(leaving)
    void leaving.then(() => this.#leaving.delete(leaving))
    return leaving
  }

  /** Resolves when everything that was given back is. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    await Promise.all(this.#leaving)
    this.hints.close()
  }

  async #letGo(hold: QuorumHold): Promise<void> {
    await this.executor.release(hold.held)
    if (hold.master !== null) await this.hints.leave(hold.key, hold.master, [hold.id])
  }

  #arm(delay: number): void {
    this.#timer = setTimeout(() => void this.#renew(), delay)
  }

  #hurry(): void {
    this.#again = true
    if (this.#timer === null || this.#renewing) return
    clearTimeout(this.#timer)
    this.#arm(0)
  }

  async #renew(): Promise<void> {
    this.hints.probe()
    this.#renewing = true
    this.#again = false
    const renewed = await Promise.all([...this.#holds].map((hold) => this.#extend(hold)))
    this.#renewing = false
    if (this.#timer === null) return
    // What was not confirmed is tried again soon: a single lost answer should not cost the lock.
    this.#arm(this.#again ? 0 : renewed.includes(false) ? this.#beat / 4 : this.#beat)
  }

  async #extend(hold: QuorumHold): Promise<boolean> {
    const [held, stand] = await Promise.all([
      this.executor.extend(hold.held, this.lease),
      this.hints.stand(hold.key, hold.id, true, hold.ticket),
    ])
    if (!this.#holds.has(hold)) {
      // It was given back meanwhile, and the place may have been taken again behind that.
      if (stand !== null) void this.hints.leave(hold.key, stand.master, [hold.id])
      return true
    }
    hold.master = stand?.master ?? null
    if (held !== null && held !== 'lost') {
      hold.held = held
      this.#confirm(hold.session)
      return true
    }
    if (held === 'lost' || left(hold.held.until) <= 0) this.#lose(hold)
    return false
  }

  /** A process has one tenure for all that it holds here, so it loses the rest, too; first of all it is told. */
  #lose({ session, label }: QuorumHold): void {
    const told = `no majority of the masters keeps ${label} any more, or none has renewed it within ${this.lease} ms`
    this.tenure.lose(session, new LeaseLostError(told))
    for (const hold of this.#holds) if (hold.session === session) hold.lost()
  }

  /** The earliest of all that the process holds counts for all of it. */
  #confirm(session: Session): void {
    let first: Deadline | null = null
    for (const hold of this.#holds) {
      if (hold.session !== session) continue
      if (first === null || hold.held.until.mono < first.mono) first = hold.held.until
    }
    this.tenure.confirm(session, first)
  }
}
