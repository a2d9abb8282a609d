/**
 * Whether so many replicas have what this program was granted: else a failover could grant it to somebody else. `WAIT` of Redis counts those that have
 * all that the asking connection has written; so a connection of its own, which nobody else stands behind, writes something and waits for that.
 *
 * A server has one log of all that is written, so who has that has what was granted before it on the other connection, also where the asking one was
 * made anew in between. Unless it leads to another server now: in a failover the other one may still lead to the old master. So whenever one of them
 * is made anew, both are asked which server it is; and what was granted on one that is lost before the answer nobody can confirm: the next one may
 * lead to a server that has never had it.
 */
import { ConnectionError, NotSupportedError, type SkeinError } from '@skein/core'
import type { Redis } from 'ioredis'
import { type Server, shown } from '../options.ts'
import { answered, ready } from './connections.ts'
import { failureOf, isReply, type Mask } from './failure.ts'
import { infoOf } from './preflight.ts'
import { COMMAND_DEADLINE } from './settings.ts'

/** How late an answer may be on a busy machine, in ms, where the replicas have less time than that. */
const LATE = 500

export interface ReplicationOptions {
  /** Connected. Used for nothing else. */
  readonly client: Redis
  /** The connection on which this program is granted something. */
  readonly main: Redis
  /** The server's, for messages. */
  readonly where: string
  readonly mask: Mask
  /** Of what it writes. */
  readonly key: string
  readonly replicas: number
  /** Milliseconds that a grant waits for them at most. */
  readonly patience: number
}

/** How many have confirmed it, or why nobody knows. */
type Answer = number | SkeinError

export class Replication {
  readonly #options: ReplicationOptions
  #running: Promise<Answer> | null = null
  /** Shared by all who ask while another question is under way, which may have been sent before their grants. */
  #next: Promise<Answer> | null = null
  /** How often one of the connections was lost, and with how many losses both were seen to lead to one server. */
  #losses = 0
  #seen = -1
  /** How often that was the one on which something is granted. */
  #mainLosses = 0
  /** Milliseconds for an answer; longer than the server is silent while it waits for replicas. */
  readonly #deadline: number

  constructor(options: ReplicationOptions) {
    this.#options = options
    const { client, main, patience } = options
    this.#deadline = patience + Math.min(Math.max(patience, LATE), COMMAND_DEADLINE)
    for (const one of [client, main]) one.on('close', () => (this.#losses += 1))
    main.on('close', () => (this.#mainLosses += 1))
  }

  /**
   * Why what was granted before the call is not safe; `null`: it is.
   *
   * @param label what that is, for people
   */
  async lacking(label: string): Promise<SkeinError | null> {
    const { where, replicas, patience } = this.#options
    const losses = this.#mainLosses
    const answer = await (this.#running === null ? this.#ask() : (this.#next ??= this.#after(this.#running)))
    if (typeof answer !== 'number') return answer
    if (losses !== this.#mainLosses) {
      return givenBack(label, `the connection to Redis at ${where} was lost before replicas had confirmed it`)
    }
    if (answer >= replicas) return null
    const why = `${answer} of ${replicas} replicas have confirmed it within ${patience} ms`
    return givenBack(label, `${why}; are they running, and connected to the server?`)
  }

  async #after(running: Promise<Answer>): Promise<Answer> {
    await running
    this.#next = null
    return this.#ask()
  }

  #ask(): Promise<Answer> {
    const { where, mask } = this.#options
    const running = this.#count().catch((error: unknown) => {
      this.#renew(error)
      return failureOf(error, where, mask)
    })
    this.#running = running
    void running.then(() => {
      if (this.#running === running) this.#running = null
    })
    return running
  }

  async #count(): Promise<number> {
    const { client, main, key, replicas, patience } = this.#options
    await ready([client, main], patience)
    if (this.#seen !== this.#losses) await this.#look()
    const written = client.set(key, '', 'PX', 10 * patience)
    const both = Promise.all([written, client.wait(replicas, patience)])
    const [, confirmed] = await answered(client, both, this.#deadline)
    // Since they were seen to lead to one server: what has answered may be the next one.
    if (this.#seen !== this.#losses) throw new Error('Connection is closed.')
    return confirmed
  }

  /** Silence on a connection that looks sound: another one may reach the server. */
  #renew(error: unknown): void {
    const { client } = this.#options
    if (client.status === 'ready' && !(error instanceof ConnectionError) && !isReply(error)) client.disconnect(true)
  }

  async #look(): Promise<void> {
    const { client, main, where } = this.#options
    const losses = this.#losses
    const [one, other] = await Promise.all([client, main].map((it) => answered(it, infoOf(it), this.#deadline)))
    if (one?.get('run_id') !== other?.get('run_id')) {
      throw new ConnectionError(
        `Redis at ${where} is another server for one connection than for the next, as during a failover: what the one has granted nobody can confirm there`,
        { retryable: true },
      )
    }
    this.#seen = losses
  }
}

function givenBack(label: string, why: string): ConnectionError {
  return new ConnectionError(`${label} was granted and given back: ${why}`, { retryable: true })
}

/** Its objects lie on several masters, each with replicas of its own. */
export function onCluster(server: Server): NotSupportedError {
  return new NotSupportedError(
    `connect(): replicas is not supported on a cluster, which ${shown(server)} belongs to; leave it out, and set min-replicas-to-write on each master`,
  )
}
