/**
 * Lock and RLock on several independent masters: this program's share of the object. Held is what a majority of masters keeps; who may
 * try next is told by a line on one of them. Speaks the protocol of the local permits with its clients.
 */
import { CapacityError, ConflictError, QuorumError } from '@skein/core'
import {
  BrokerObject,
  type Call,
  type Frame,
  type Methods,
  type ObjectKind,
  op,
  type Session,
} from '@skein/core/adapter'
import type { PermitsSpec } from '../redis-permits.ts'
import type { Surround } from '../surround.ts'
import { left, type Refused } from './quorum-executor.ts'
import type { FencedHolder, QuorumView } from './quorum-fence.ts'
import type { Quorum, QuorumHold } from './quorum.ts'

/** What a process asks for. */
export interface LockRequest {
  readonly call: Call
  /** Not to wait; then the call is answered `null`. */
  readonly poll: boolean
  readonly granted: (token: number) => void
  readonly failed: (error: Error) => void
}

/** A request that has not been settled. */
interface Ask {
  readonly request: LockRequest
  /** Its place in the line. */
  readonly id: string
  /** The master that it stands at; `null`: none yet, or none answers. */
  master: number | null
  /** Its ticket in the line; '0': none yet. */
  ticket: string
  /** Neither settled nor taken back. */
  live: boolean
  /** Its turn may have come while nobody looked. */
  woken: boolean
  wake: (() => void) | null
  awaySince: number | null
}

/** Milliseconds before trying again after votes were split or the holder had not let go: at least, and at most. */
const SOON = 10
const LATER = 60
/** After so many such tries they become rarer. */
const PATIENCE = 6

export class RedlockPermits extends BrokerObject {
  /** Those whose lock it is: they end with it. */
  readonly conditions: Set<{ lockEnded(reason: Error): void }> = new Set()
  readonly #around: Surround
  readonly #quorum: Quorum
  readonly #key: string
  readonly #asks = new Map<LockRequest, Ask>()
  /** Those of processes that are stopped, without a place. */
  readonly #parked = new Map<Session, Set<LockRequest>>()
  readonly #grants = new Map<number, QuorumHold>()
  readonly #overs = new Map<number, Set<(used: boolean) => void>>()
  /** Releases under way: what this program asks for next comes after them. */
  readonly #leaving = new Set<Promise<void>>()

  constructor(kind: ObjectKind, name: string, spec: PermitsSpec, around: Surround, quorum: Quorum) {
    super(kind, name)
    if (spec.permits !== 1) throw new ConflictError(`${this.label} has one permit, ${spec.permits} were asked for`)
    this.#around = around
    this.#quorum = quorum
    this.#key = `{${around.namespace}:redlock:${kind}:${name}}`
  }

  protected override readonly methods: Methods = {
    acquire: (call) => {
      const [, poll] = call.args as [number, boolean]
      this.enter({ call, poll, granted: (token) => call.ok(token), failed: (error) => call.fail(error) })
    },
    value: (call) => this.#look(call, ({ held }) => (held ? 0 : 1)),
    holder: (call) => this.#look(call, ({ holder }) => holder),
  }

  override frame(session: Session, frame: Frame): void {
    if (frame.op === op.release) this.giveBack(session, frame.f64(0), frame.b === 0)
    else super.frame(session, frame)
  }

  override check(spec: unknown): void {
    const { permits } = spec as PermitsSpec
    if (permits !== 1) throw new ConflictError(`${this.label} has one permit, ${permits} were asked for`)
  }

  override leave(session: Session): void {
    this.#parked.delete(session)
    this.#takeFrom(session)
  }

  /** The process is stopped: it loses what it holds, and its place in line until it goes on. */
  override suspend(session: Session): void {
    this.#parked.set(session, this.#takeFrom(session))
  }

  override resume(session: Session): void {
    const waiting = this.#parked.get(session) ?? []
    this.#parked.delete(session)
    for (const request of waiting) this.#begin(request)
  }

  override end(reason: Error): void {
    const waiting = [...this.#asks.keys(), ...[...this.#parked.values()].flatMap((one) => [...one])]
    for (const ask of this.#asks.values()) this.#stop(ask)
    this.#parked.clear()
    for (const [token, { session }] of this.#grants) this.giveBack(session, token, false)
    for (const { failed } of waiting) failed(reason)
    for (const condition of this.conditions) condition.lockEnded(reason)
    void Promise.all(this.#leaving).then(() => this.#erase())
  }

  /** Others may hold it, so what holds it is left alone. */
  #erase(): void {
    for (const master of this.#quorum.masters) {
      master.del(`${this.#key}:f`, `${this.#key}:q`, `${this.#key}:x`).catch(() => {
        // A master that is away: they run out by themselves.
      })
    }
  }

  // Asking

  /** Has it asked for, until it is settled or withdrawn. */
  enter(request: LockRequest): void {
    request.call.waits(() => this.withdraw(request))
    this.#begin(request)
  }

  #begin(request: LockRequest): void {
    const parked = this.#parked.get(request.call.session)
    if (parked !== undefined) {
      parked.add(request)
      return
    }
    const ask: Ask = {
      request,
      id: this.#quorum.hints.next(),
      master: null,
      ticket: '0',
      live: true,
      woken: false,
      wake: null,
      awaySince: null,
    }
    this.#asks.set(request, ask)
    void this.#run(ask)
  }

  /** The caller has given up, or has ended. */
  withdraw(request: LockRequest): void {
    this.#parked.get(request.call.session)?.delete(request)
    const ask = this.#asks.get(request)
    if (ask !== undefined) this.#stop(ask)
  }

  /** The request is settled or taken back. */
  #stop(ask: Ask): void {
    ask.live = false
    this.#asks.delete(ask.request)
    ask.wake?.()
  }

  async #run(ask: Ask): Promise<void> {
    const { hints } = this.#quorum
    const forget = hints.onTurn(ask.id, () => {
      ask.woken = true
      ask.wake?.()
    })
    let keeps = false
    let misses = 0
    while (ask.live) {
      await Promise.all(this.#leaving)
      if (!ask.live) break
      if (await this.#standBehind(ask)) {
        if (ask.request.poll) this.#settle(ask).call.ok(null)
        else await this.#pause(ask, this.#around.beat * (0.8 + 0.4 * Math.random()))
        continue
      }
      const refused = await this.#try(ask)
      if (refused === null) {
        keeps = true
        break
      }
      if (!ask.live) break
      const rarer = 2 ** Math.min(Math.max(misses - PATIENCE, 0), 2)
      misses += 1
      await Promise.all([this.#pause(ask, (SOON + Math.random() * (LATER - SOON)) * rarer), this.#judge(ask, refused)])
    }
    forget()
    if (!keeps && ask.master !== null) await hints.leave(this.#key, ask.master, [ask.id])
  }

  /** Takes its place in the line, on the master that has the line now. Whether others stand before it. */
  async #standBehind(ask: Ask): Promise<boolean> {
    ask.woken = false
    const { hints } = this.#quorum
    const stand = await hints.stand(this.#key, ask.id, !ask.request.poll, ask.ticket)
    const before = ask.master
    ask.master = stand?.master ?? null
    ask.ticket = stand?.ticket ?? ask.ticket
    if (before !== null && before !== ask.master) void hints.leave(this.#key, before, [ask.id])
    return stand !== null && !stand.turn
  }

  /** One shot at the masters; `null`: granted. */
  async #try(ask: Ask): Promise<Refused | null> {
    const { executor, fence, lease } = this.#quorum
    const held = await executor.acquire(this.#key, lease)
    if ('why' in held) return held
    const { session } = ask.request.call
    const { id, name, pid, host } = session.process
    const token = ask.live ? await fence.of(this.#key, held.value, { process: id, name, pid, host }) : null
    if (token === null || left(held.until) <= 0 || !ask.live) {
      await executor.release(held)
      return { why: Promise.resolve('away') }
    }
    const hold: QuorumHold = {
      key: this.#key,
      session,
      held,
      id: ask.id,
      ticket: ask.ticket,
      master: ask.master,
      label: this.label,
      lost: () => this.#release(token, hold, false),
    }
    this.#grants.set(token, hold)
    this.#quorum.add(hold)
    this.#settle(ask).granted(token)
    return null
  }

  async #judge(ask: Ask, { why }: Refused): Promise<void> {
    const refusal = await why
    if (!ask.live) return
    if (refusal === 'full') {
      const told = `a majority of the Redis servers is full, so ${this.label} could not be taken; make room or raise maxmemory`
      this.#settle(ask).failed(new CapacityError(told, { retryable: true }))
    } else if (refusal === 'contended') {
      ask.awaySince = null
      if (ask.request.poll) this.#settle(ask).call.ok(null)
    } else {
      const now = performance.now()
      ask.awaySince ??= now
      if (ask.request.poll || now - ask.awaySince >= this.#around.outage) this.#settle(ask).failed(this.#noQuorum())
    }
  }

  #settle(ask: Ask): LockRequest {
    this.#stop(ask)
    return ask.request
  }

  #pause(ask: Ask, delay: number): Promise<void> {
    if (ask.woken || !ask.live) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay)
      ask.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  // Giving back

  holds(session: Session, token: number): boolean {
    return this.#grants.get(token)?.session === session
  }

  /** @param told by who holds it, when it is given back: whether by its own will, or because of a death, a loss or a stop */
  whenOver(token: number, told: (used: boolean) => void): void {
    const overs = this.#overs.get(token) ?? new Set()
    this.#overs.set(token, overs.add(told))
  }

  /** @param used by its holder's own will, who has heard of it */
  giveBack(session: Session, token: number, used: boolean): boolean {
    const hold = this.#grants.get(token)
    if (hold === undefined || hold.session !== session) return false
    this.#release(token, hold, used)
    return true
  }

  #release(token: number, hold: QuorumHold, used: boolean): void {
    this.#grants.delete(token)
    for (const told of this.#overs.get(token) ?? []) told(used)
    this.#overs.delete(token)
    const leaving = this.#quorum.letGo(hold)
    this.#leaving.add(leaving)
    void leaving.then(() => this.#leaving.delete(leaving))
  }

  /** Gives back what a process holds, and takes it out of the line. What it waited for. */
  #takeFrom(session: Session): Set<LockRequest> {
    for (const [token, hold] of this.#grants) if (hold.session === session) this.#release(token, hold, false)
    const waiting = new Set<LockRequest>()
    for (const [request, ask] of this.#asks) {
      if (request.call.session !== session) continue
      this.#stop(ask)
      waiting.add(request)
    }
    return waiting
  }

  #look(call: Call, part: (view: QuorumView) => FencedHolder | number | null): void {
    void Promise.all(this.#leaving)
      .then(() => this.#quorum.fence.look(this.#key))
      .then(
        (view) => (view === null ? call.fail(this.#noQuorum()) : call.ok(part(view))),
        (error: Error) => call.fail(error),
      )
  }

  #noQuorum(): QuorumError {
    const { length } = this.#quorum.masters
    const needed = Math.floor(length / 2) + 1
    return new QuorumError(
      `fewer than ${needed} of the ${length} Redis servers answered for ${this.label}; it takes a majority of them`,
      { retryable: true },
    )
  }
}
