/** The command as a shell starts it, and a program for it to look at. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll } from 'vitest'
import { startRedis } from '../../../integration-tests/support/redis.ts'

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export type Environment = Readonly<Record<string, string>>

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-bin-'))
  const script = join(folder, 'skein')
  const file = join(import.meta.dirname, '..', 'dist', 'skein.js')
  writeFileSync(script, `#!/bin/sh\nexec '${process.execPath}' '${file}' "$@"\n`)
  chmodSync(script, 0o755)
  // For tests as another user.
  chmodSync(folder, 0o755)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A server for the tests of a file; what a command needs to find it is there when they run. */
export function useServer(): { readonly SKEIN_URL: string } {
  const env = { SKEIN_URL: '' }
  let close: (() => Promise<void>) | null = null
  beforeAll(async () => {
    const redis = await startRedis({ own: true })
    env.SKEIN_URL = redis.url
    close = () => redis.close()
  })
  afterAll(() => close?.())
  return env
}

/** A line of the shell, in which `skein` is the command and `node` this Node, while it runs. */
export class Running {
  /** Never rejects. */
  readonly ended: Promise<Outcome>
  readonly #child: ChildProcessWithoutNullStreams
  #stdout = ''
  #stderr = ''
  #onOutput: (() => void)[] = []

  constructor(line: string, env: Environment = {}, cwd: string = import.meta.dirname) {
    const paths = [folder, dirname(process.execPath), process.env['PATH'] ?? '']
    // Nothing else of the environment: some of it says whether there are colours, or where to connect to.
    const { HOME = '', TMPDIR = tmpdir(), NODE_EXTRA_CA_CERTS = '' } = process.env
    const child = spawn('sh', ['-c', line], {
      cwd,
      env: { HOME, TMPDIR, NODE_EXTRA_CA_CERTS, PATH: paths.join(delimiter), ...env },
    })
    this.#child = child
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      for (const look of this.#onOutput.splice(0)) look()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.ended = once(child, 'close').then(([code]) => {
      for (const look of this.#onOutput.splice(0)) look()
      return { code: code as number | null, stdout: this.#stdout, stderr: this.#stderr }
    })
  }

  /** Resolves when what it wrote has `count` of these. */
  async shows(text: string, count = 1): Promise<void> {
    let over = false
    const ended = this.ended.then(() => (over = true))
    while (this.#stdout.split(text).length <= count) {
      if (over) throw new Error(`ended without ${count} times "${text}": ${this.#stdout}${this.#stderr}`)
      await Promise.race([new Promise<void>((resolve) => this.#onOutput.push(resolve)), ended])
    }
  }

  /** The first line that it wrote. */
  async line(): Promise<string> {
    await this.shows('\n')
    return this.#stdout.slice(0, this.#stdout.indexOf('\n'))
  }

  type(text: string): void {
    this.#child.stdin.write(text)
  }

  /** To the program that the line has become by `exec`. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}

export function shell(line: string, env: Environment = {}, cwd?: string): Promise<Outcome> {
  return new Running(line, env, cwd).ended
}
