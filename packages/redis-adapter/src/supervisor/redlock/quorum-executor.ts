/**
 * One value on a majority of masters, in single shots: redlock sends and counts, and never waits or repeats by itself. What is here
 * is what it leaves open: deadlines by both clocks, and telling a held key from masters that are away.
 */
import { createHash } from 'node:crypto'
import { monotonic } from '@skein/core/adapter'
import type { Redis } from 'ioredis'
import Redlock, { ExecutionError, type Lock, ResourceLockedError, type Votes } from 'redlock'
import type { Debts } from './debts.ts'

/** A time on the monotonic clock and on the wall clock, in ms: over when the first of them says so. */
export interface Deadline {
  readonly mono: number
  readonly wall: number
}

/** Milliseconds left; 0 or less: over. */
export function left({ mono, wall }: Deadline): number {
  return Math.min(mono - monotonic(), wall - Date.now())
}

/** A value that a majority keeps until the deadline. */
export interface Held {
  readonly value: string
  readonly until: Deadline
  readonly lock: Lock
}

/**
 * - `contended`: a majority answered, and somebody else has it, or some of it.
 * - `away`: fewer than a majority answered.
 * - `full`: masters have no room for it.
 */
export type Refusal = 'contended' | 'away' | 'full'

export interface Refused {
  /** Known when all masters have answered or are late. */
  readonly why: Promise<Refusal>
}

/** Per millisecond of a lease, for clocks that run at different speeds; and 2 ms for the server's own rounding. */
const DRIFT = 0.01

/** No second try and no waiting inside the package. */
const ONCE = { retryCount: 0, driftFactor: DRIFT } as const

/**
 * A master that has started within one lease may have forgotten a vote for somebody who counts on it until that lease ends, so it has no
 * vote for anybody new (the Redlock paper's delayed restart). It says its age in whole seconds, rounded either way.
 */
const ACQUIRE = `
if redis.call('exists', KEYS[1]) == 1 then return 0 end
local age = tonumber(string.match(redis.call('info', 'server'), 'uptime_in_seconds:(%d+)'))
if (age - 1) * 1000 < tonumber(ARGV[2]) then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return 1
`

/**
 * Extends where it holds, and plants where nothing is: on a master that came back empty. Others cannot have a majority meanwhile, since
 * an extension counts only if its answers come before the deadline of the one before.
 */
const EXTEND = `
local now = redis.call('get', KEYS[1])
if now == ARGV[1] then
  redis.call('pexpire', KEYS[1], ARGV[2])
  return 1
end
if now then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return 1
`

const RELEASE = `
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return 1
`

/** By digest. */
const TEXTS = new Map([ACQUIRE, EXTEND, RELEASE].map((text) => [createHash('sha1').update(text).digest('hex'), text]))

/**
 * A master as redlock calls it. A release that it may not have heard is owed to it, after a vote for an attempt that failed as well.
 *
 * Each script is sent as text: one that had to be sent again, because the master did not know its digest, could come behind the release of
 * the same value, which nobody would release then.
 */
class Voter {
  readonly #master: Redis
  readonly #debts: Debts
  /** Values that it may keep. */
  readonly #sent = new Set<string>()

  constructor(master: Redis, debts: Debts) {
    this.#master = master
    this.#debts = debts
  }

  evalsha(sha: string, keys: number, args: readonly string[]): Promise<unknown> {
    return this.eval(TEXTS.get(sha) ?? '', keys, args)
  }

  eval(text: string, keys: number, args: readonly string[]): Promise<unknown> {
    const answer = this.#master.eval(text, keys, ...args)
    const [key = '', value = ''] = args
    if (text !== RELEASE) {
      // Without a connection it is not even sent.
      if (this.#master.status === 'ready') this.#sent.add(value)
    } else if (this.#sent.delete(value)) {
      answer.catch(() => this.#debts.owe(this.#master, () => this.#master.eval(RELEASE, 1, key, value)))
    }
    return answer
  }
}

export class QuorumExecutor {
  readonly #redlock: Redlock
  readonly #masters: number
  readonly #majority: number

  /** @param masters whose commands fail within a short time, never wait for a connection and are never sent twice */
  constructor(masters: readonly Redis[], debts: Debts) {
    this.#masters = masters.length
    this.#majority = Math.floor(masters.length / 2) + 1
    const scripts = { acquireScript: () => ACQUIRE, extendScript: () => EXTEND, releaseScript: () => RELEASE }
    const voters = masters.map((master) => new Voter(master, debts))
    this.#redlock = new Redlock(voters, ONCE, scripts)
    this.#redlock.on('error', ignoreVote)
  }

  /** Puts a fresh value on a majority, or nowhere. @param lease in whole ms */
  async acquire(key: string, lease: number): Promise<Held | Refused> {
    const until = from(lease)
    try {
      const lock = await this.#redlock.acquire([key], lease, ONCE)
      const held: Held = { value: lock.value, until, lock }
      if (left(until) > 0) return held
      await this.release(held)
      return { why: Promise.resolve('away') }
    } catch (error) {
      return { why: this.#why(error) }
    }
  }

  /**
   * Holds it for another lease; `null` if no majority confirmed that before the present one ends, or so far. `lost`: so many masters have
   * somebody else's value that no majority can: they came back empty.
   */
  async extend(held: Held, lease: number): Promise<Held | 'lost' | null> {
    if (left(held.until) <= 0) return null
    const until = from(lease)
    try {
      const lock = await this.#redlock.extend(held.lock, lease, ONCE)
      // Late: somebody else may have had it in between.
      return left(held.until) > 0 ? { value: held.value, until, lock } : null
    } catch (error) {
      const votes = error instanceof ExecutionError ? await error.attempts[0] : undefined
      // Where masters are away, or somebody tries to take one that came back empty, it may be better the next time.
      return votes !== undefined && taken(votes) > this.#masters - this.#majority ? 'lost' : null
    }
  }

  /** Takes the value away wherever it is. Masters that do not answer are told later, or let it run out. */
  async release({ lock }: Pick<Held, 'lock'>): Promise<void> {
    try {
      await this.#redlock.release(lock, ONCE)
    } catch {
      // Owed to those that have not heard of it.
    }
  }

  async #why(error: unknown): Promise<Refusal> {
    if (!(error instanceof ExecutionError)) return 'away'
    const votes = await error.attempts[0]
    if (votes === undefined) return 'away'
    return this.#read(votes)
  }

  #read({ votesFor, votesAgainst }: Votes): Refusal {
    const answered = votesFor.size + taken({ votesAgainst })
    if (answered >= this.#majority) return 'contended'
    const full = [...votesAgainst.values()].filter(({ message }) => message.includes('OOM')).length
    return answered + full >= this.#majority ? 'full' : 'away'
  }
}

/** How many masters have somebody else's value. */
function taken({ votesAgainst }: Pick<Votes, 'votesAgainst'>): number {
  return [...votesAgainst.values()].filter((one) => one instanceof ResourceLockedError).length
}

/** Counted from now, before anything is sent: the masters count from later. */
function from(lease: number): Deadline {
  const sure = lease * (1 - DRIFT) - 2
  return { mono: monotonic() + sure, wall: Date.now() + sure }
}

function ignoreVote(): void {
  // Every vote against is an error to the package; they are counted in the answers.
}
