/**
 * Whether so many replicas have what this program was granted: else a failover could grant it to somebody else. `WAIT` of Redis counts those that have
 * all that the asking connection has written; so a connection of its own, which nobody else stands behind, writes something and waits for that.
 */
import { NotSupportedError } from '@skein/core'
import type { Redis } from 'ioredis'
import { type Server, shown } from '../options.ts'

export interface ReplicationOptions {
  /** Connected. Used for nothing else. */
  readonly client: Redis
  /** Of what it writes. */
  readonly key: string
  readonly replicas: number
  /** Milliseconds that a grant waits for them at most. */
  readonly patience: number
}

export class Replication {
  readonly #options: ReplicationOptions
  #running: Promise<number> | null = null
  /** Shared by all who ask while another question is under way, which may have been sent before their grants. */
  #next: Promise<number> | null = null

  constructor(options: ReplicationOptions) {
    this.#options = options
  }

  /** Why what was written before the call is not safe; `null`: it is. */
  async lacking(): Promise<string | null> {
    const { replicas, patience } = this.#options
    const confirmed = await (this.#running === null ? this.#ask() : (this.#next ??= this.#after(this.#running)))
    if (confirmed >= replicas) return null
    return `${confirmed} of ${replicas} replicas have confirmed it within ${patience} ms; are they running, and connected to the server?`
  }

  async #after(running: Promise<number>): Promise<number> {
    await running
    this.#next = null
    return this.#ask()
  }

  #ask(): Promise<number> {
    const running = this.#count()
    this.#running = running
    void running.then(() => {
      if (this.#running === running) this.#running = null
    })
    return running
  }

  async #count(): Promise<number> {
    const { client, key, replicas, patience } = this.#options
    try {
      const written = client.set(key, '', 'PX', 10 * patience)
      const [, confirmed] = await Promise.all([written, client.wait(replicas, patience)])
      return confirmed
    } catch {
      // The connection is lost, or the store is full: nothing is known.
      return 0
    }
  }
}

/** Its objects lie on several masters, each with replicas of its own. */
export function onCluster(server: Server): NotSupportedError {
  return new NotSupportedError(
    `connect(): replicas is not supported on a cluster, which ${shown(server)} belongs to; leave it out, and set min-replicas-to-write on each master`,
  )
}
