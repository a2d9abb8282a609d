/** Deletes the anonymous objects of programs that have been dead for a while: nobody else knows their names for long. */
import { monotonic } from '@skein/core/adapter'
import type { SessionKeys } from './program-session.ts'
import type { Store } from './surround.ts'

/** A program that was only cut off may come back and go on with its objects: so many ttls it has for that. */
const PATIENCE = 12

/** Keys looked at in one step of the server. */
const STEP = 1_000

export interface ClearingOptions {
  readonly store: Pick<Store, 'partOf' | 'parts'>
  readonly keys: SessionKeys
  readonly namespace: string
  readonly ttl: number
}

export class Clearing {
  readonly #options: ClearingOptions
  readonly #cleared = new Set<string>()
  #last = Number.NEGATIVE_INFINITY
  #busy = false

  constructor(options: ClearingOptions) {
    this.#options = options
  }

  /** Does something once per ttl; two programs may do it at once. */
  async look(): Promise<void> {
    const { store, keys, ttl } = this.#options
    if (this.#busy || monotonic() - this.#last < ttl) return
    this.#busy = true
    try {
      const { client } = store.partOf(keys.dead)
      const [seconds] = await client.time()
      const dead = await client.zrangebyscore(keys.dead, '-inf', Number(seconds) * 1_000 - PATIENCE * ttl)
      for (const sid of dead) {
        if (this.#cleared.has(sid)) continue
        await this.clear(sid)
        this.#cleared.add(sid)
      }
    } catch {
      // Without the server now; the next look begins again.
    } finally {
      this.#busy = false
      this.#last = monotonic()
    }
  }

  /** Deletes what that program has not deleted itself. */
  async clear(sid: string): Promise<void> {
    const { store, keys, namespace } = this.#options
    const at = store.partOf(keys.own(sid)).client
    const own = await at.smembers(keys.own(sid))
    const tags = new Set(own.map((member) => `${namespace}:${member.replace(' ', ':')}`))
    tags.add(`${namespace}:spawn:${sid}`)
    for (const { client } of store.parts) {
      let cursor = '0'
      do {
        const [next, page] = await client.scan(cursor, 'MATCH', `{${namespace}:*`, 'COUNT', STEP)
        // One by one: two objects have two hash slots.
        const doomed = page.filter((key) => tags.has(key.slice(1, key.indexOf('}'))))
        await Promise.all(doomed.map((key) => client.unlink(key)))
        cursor = next
      } while (cursor !== '0')
    }
    await at.unlink(keys.own(sid), keys.inbox(sid))
  }
}
