/** Which jobs of our own queues are gone although nobody here has taken them: somebody else may remove them, as a dashboard does. */
import { keyPrefix } from './bull.ts'
import type { Script, Store } from './surround.ts'

const EXISTS = `local there={} for i,key in ipairs(KEYS) do there[i]=redis.call('EXISTS',key) end return there`

/** Jobs that are looked for at once. Those behind them come to the front as these are taken. */
const MOST = 100

export class JobLook {
  readonly #exists: Script<readonly [], readonly number[]>

  constructor(store: Store) {
    this.#exists = store.script('work-exists', { text: EXISTS, readOnly: true })
  }

  /**
   * @param key the queue's
   * @param sent each with BullMQ's id of its job
   * @returns those of the first 100 whose jobs are gone
   */
  async gone<T extends { readonly job: string | null }>(key: string, sent: readonly T[]): Promise<T[]> {
    const looked = sent.filter(({ job }) => job !== null).slice(0, MOST)
    if (looked.length === 0) return []
    const ids = looked.map(({ job }) => job)
    const there = await this.#exists.call(
      ids.map((id) => `${keyPrefix(key)}${id ?? ''}`),
      [],
    )
    // Sent again meanwhile, it has another one.
    return looked.filter(({ job }, index) => there[index] === 0 && job === ids[index])
  }
}
