/**
 * Whether so many replicas have what this program was granted: else a failover could grant it to somebody else. `WAIT` of Redis counts those that have
 * all that the asking connection has written; so a connection of its own, which nobody else stands behind, writes something and waits for that.
 *
 * A server has one log of all that is written, so who has that has what was granted before it on the other connection, also where the asking one was
 * made anew in between. Unless it leads to another server now: in a failover the other one may still lead to the old master. So whenever one of them
 * is made anew, both are asked which server it is.
 */
import { once } from 'node:events'
import { ConnectionError, NotSupportedError, type SkeinError } from '@skein/core'
import type { Redis } from 'ioredis'
import { type Server, shown } from '../options.ts'
import { failureOf, type Mask } from './failure.ts'
import { infoOf } from './preflight.ts'

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

  constructor(options: ReplicationOptions) {
    this.#options = options
    for (const one of [options.client, options.main]) one.on('close', () => (this.#losses += 1))
  }

  /**
   * Why what was granted before the call is not safe; `null`: it is.
   *
   * @param label what that is, for people
   */
  async lacking(label: string): Promise<SkeinError | null> {
    const { replicas, patience } = this.#options
    const answer = await (this.#running === null ? this.#ask() : (this.#next ??= this.#after(this.#running)))
    if (typeof answer !== 'number') return answer
    if (answer >= replicas) return null
    const why = `${answer} of ${replicas} replicas have confirmed it within ${patience} ms`
    return new ConnectionError(
      `${label} was granted and given back: ${why}; are they running, and connected to the server?`,
      { retryable: true },
    )
  }

  async #after(running: Promise<Answer>): Promise<Answer> {
    await running
    this.#next = null
    return this.#ask()
  }

  #ask(): Promise<Answer> {
    const { where, mask } = this.#options
    const running = this.#count().catch((error: unknown) => failureOf(error, where, mask))
    this.#running = running
    void running.then(() => {
      if (this.#running === running) this.#running = null
    })
    return running
  }

  async #count(): Promise<number> {
    const { client, key, replicas, patience } = this.#options
    // After an outage the other connection may be back before this one.
    if (client.status !== 'ready') await once(client, 'ready', { signal: AbortSignal.timeout(patience) })
    if (this.#seen !== this.#losses) await this.#look()
    const written = client.set(key, '', 'PX', 10 * patience)
    const [, confirmed] = await Promise.all([written, client.wait(replicas, patience)])
    return confirmed
  }

  async #look(): Promise<void> {
    const { client, main, where } = this.#options
    const losses = this.#losses
    const [one, other] = await Promise.all([infoOf(client), infoOf(main)])
    if (one.get('run_id') !== other.get('run_id')) {
      throw new ConnectionError(
        `Redis at ${where} is another server for one connection than for the next, as during a failover: what the one has granted nobody can confirm there`,
        { retryable: true },
      )
    }
    this.#seen = losses
  }
}

/** Its objects lie on several masters, each with replicas of its own. */
export function onCluster(server: Server): NotSupportedError {
  return new NotSupportedError(
    `connect(): replicas is not supported on a cluster, which ${shown(server)} belongs to; leave it out, and set min-replicas-to-write on each master`,
  )
}
