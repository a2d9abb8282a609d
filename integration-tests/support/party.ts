/** Programs that meet at `local:NAME`. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { onTestFinished } from 'vitest'

const PROGRAM = join(import.meta.dirname, '..', 'programs', 'meet.mjs')

export interface MeetingPlace {
  readonly url: string
  /** What is `TMPDIR` to all of them. */
  readonly folder: string
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: { readonly name: string; readonly message: string }
}

/** One of several programs that share `local:NAME`, as a process of its own; it does what it is told. */
export class Party {
  readonly process: ChildProcess
  readonly ended: Promise<unknown>
  readonly #asked = new Map<number, (answer: Answer) => void>()
  #count = 0

  constructor({ url, folder }: MeetingPlace, namespace: string) {
    const env = { ...process.env, TMPDIR: folder }
    this.process = fork(PROGRAM, [url, namespace], { env, execArgv: [] })
    this.ended = once(this.process, 'exit')
    this.process.on('message', (answer: Answer) => {
      this.#asked.get(answer.id)?.(answer)
      this.#asked.delete(answer.id)
    })
    onTestFinished(async () => {
      this.process.kill('SIGKILL')
      await this.ended
    })
  }

  /** A program that is connected. */
  static async start(place: MeetingPlace, namespace: string): Promise<Party> {
    const party = new Party(place, namespace)
    await party.ready()
    return party
  }

  ready(): Promise<unknown> {
    return Promise.race([
      new Promise((resolve) => this.#asked.set(0, resolve)),
      this.ended.then(() => Promise.reject(new Error('a party ended before it was connected'))),
    ])
  }

  get pid(): number {
    return this.process.pid as number
  }

  async ask<T = unknown>(command: string, ...args: readonly unknown[]): Promise<T> {
    this.#count += 1
    const id = this.#count
    const answer = new Promise<Answer>((resolve) => this.#asked.set(id, resolve))
    this.process.send({ id, command, args })
    const { value, error } = await answer
    if (error !== undefined) throw Object.assign(new Error(error.message), { name: error.name })
    return value as T
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.process.kill(signal)
    if (signal === 'SIGKILL') await this.ended
  }
}
