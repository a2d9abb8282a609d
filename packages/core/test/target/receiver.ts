/** Starts real children that resolve targets. */
import { execFile, fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TargetRef } from '../../src/contract/target.ts'
import type { TargetPolicy } from '../../src/target/index.ts'

export interface RemoteFailure {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly cause?: RemoteFailure
}
export type Outcome = { readonly value: unknown } | { readonly error: RemoteFailure }

/** Whether this Node loads TypeScript without help. */
export const canStrip = Boolean(Reflect.get(process.features, 'typescript'))

export function fixture(path: string): string {
  return fileURLToPath(new URL(`./fixtures/${path}`, import.meta.url))
}

/** Node as it is started by hand, without what the test runner added. */
export class Receiver implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #root: string | undefined
  readonly #policy: TargetPolicy | undefined
  readonly #waiting = new Map<number, { resolve(outcome: Outcome): void; reject(error: Error): void }>()
  #last = 0

  constructor(options: { readonly execArgv?: string[]; readonly root?: string; readonly policy?: TargetPolicy } = {}) {
    const { execArgv = [], root, policy } = options
    this.#root = root
    this.#policy = policy
    this.#child = fork(fixture('receiver.mjs'), { execArgv, serialization: 'advanced', cwd: root ?? fixture('') })
    this.#child.on('message', (reply) => {
      const { id, outcome } = reply as { readonly id: number; readonly outcome: Outcome }
      this.#waiting.get(id)?.resolve(outcome)
      this.#waiting.delete(id)
    })
    this.#child.on('exit', (code) => {
      for (const waiting of this.#waiting.values())
        waiting.reject(new Error(`The receiver ended with ${String(code)}.`))
    })
  }

  /** Several may be under way at once. */
  async run(ref: TargetRef, ...args: unknown[]): Promise<Outcome> {
    const id = (this.#last += 1)
    this.#child.send({ id, ref, args, root: this.#root, policy: this.#policy })
    return new Promise<Outcome>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
    })
  }

  async value(ref: TargetRef, ...args: unknown[]): Promise<unknown> {
    const outcome = await this.run(ref, ...args)
    if ('error' in outcome) throw new Error(`${outcome.error.name}: ${outcome.error.message}`)
    return outcome.value
  }

  async error(ref: TargetRef, ...args: unknown[]): Promise<RemoteFailure> {
    const outcome = await this.run(ref, ...args)
    if ('value' in outcome) throw new Error(`It returned ${String(outcome.value)}.`)
    return outcome.error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }
}

/** What a program prints; it fails if the program does. */
export async function runNode(args: readonly string[], options: { readonly cwd?: string } = {}): Promise<string> {
  const { NODE_OPTIONS: _none, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, args, { ...options, env })
  return stdout
}
