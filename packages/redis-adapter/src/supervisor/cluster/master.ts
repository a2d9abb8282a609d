/** One master of a cluster: the program's connection to it, and what it is called as one that has forgotten nothing since. */
import type { Redis } from 'ioredis'
import type { Server } from '../../options.ts'
import { isOwnWord, isReply, type Mask } from '../failure.ts'
import { shown } from '../../options.ts'
import { answered, hangUp } from '../connections.ts'
import { type Info, infoOf } from '../preflight.ts'
import { Scripts } from '../script.ts'

/** When to ask again a server that has just started, in ms. */
const AGAIN = 100

export interface MasterOptions {
  readonly client: Redis
  readonly server: Server
  readonly mask: Mask
  readonly flags: boolean
}

export class Master {
  readonly client: Redis
  readonly server: Server
  readonly scripts: Scripts
  readonly #met = new Set<() => void>()
  #life: string | null = null
  #asking = false
  #closed = false

  constructor({ client, server, mask, flags }: MasterOptions) {
    this.client = client
    this.server = server
    this.scripts = new Scripts({ client, masters: [], where: shown(server), mask, flags })
    client.on('close', () => (this.#life = null))
    client.on('ready', () => void this.meet())
  }

  /** Another one when it has started again, or has become master again; null: it is not there, or takes no writes. */
  get life(): string | null {
    return this.#life
  }

  /** Told each time that it is found out. */
  onMet(told: () => void): void {
    this.#met.add(told)
  }

  /** Asks it, until it says so or the connection is lost. */
  async meet(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    while (!this.#closed && this.client.status === 'ready' && !(await this.#answers())) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN))
    }
    this.#asking = false
  }

  async #answers(): Promise<boolean> {
    try {
      const life = lifeOf(await answered(this.client, infoOf(this.client)))
      if (this.client.status !== 'ready' || life === this.#life) return true
      this.#life = life
      if (life !== null) for (const told of this.#met) told()
      return true
    } catch (error) {
      // The next connection asks.
      if (isOwnWord(error)) return true
      // Silence on a connection that looks sound: another one may reach it, or a replica has its place by now, which nobody looks for before.
      if (!this.#closed && !isReply(error)) this.scripts.renew()
      return false
    }
  }

  /** It has no slots any more: what waits is to be asked elsewhere. */
  leave(): void {
    this.#closed = true
    this.#life = null
    this.scripts.handOver()
    hangUp(this.client)
  }

  close(): void {
    this.#closed = true
    this.scripts.close()
    hangUp(this.client)
  }
}

/**
 * A replica that becomes master keeps its run id, and notes whose writes it has, and how far. Its own replication id would also change when it gets
 * its first replica.
 */
function lifeOf(info: Info): string | null {
  const parts = ['run_id', 'master_replid2', 'second_repl_offset'].map((name) => info.get(name) ?? '')
  return info.get('role') === 'slave' ? null : parts.join(':')
}
