/** A Lua script on one master of several. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'

export class MasterScript<R> {
  readonly #text: string
  readonly #sha: string

  /** @param name a file of `scripts/`, without its ending */
  constructor(name: string) {
    this.#text = readFileSync(new URL(`../../../scripts/${name}.lua`, import.meta.url), 'utf8')
    this.#sha = createHash('sha1').update(this.#text).digest('hex')
  }

  /** Rejects with the client's error. */
  async call(master: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<R> {
    try {
      return (await master.evalsha(this.#sha, keys.length, ...keys, ...args)) as R
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return (await master.eval(this.#text, keys.length, ...keys, ...args)) as R
    }
  }
}

/** The answers of the first `count` masters that give one; `null` as soon as so many cannot come any more. */
export function firstOf<T>(count: number, answers: readonly Promise<T>[]): Promise<T[] | null> {
  return new Promise((resolve) => {
    const got: T[] = []
    let missing = 0
    const failed = (): void => {
      missing += 1
      if (answers.length - missing < count) resolve(null)
    }
    const came = (value: T): void => {
      got.push(value)
      if (got.length === count) resolve(got)
    }
    for (const answer of answers) answer.then(came, failed)
  })
}
