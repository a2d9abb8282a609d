/**
 * A whole program in a process of its own: started from its file as a user would, listened to line by line, and gone when the
 * test is over, whatever happened.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { isRunning, processTable } from '@skein/conformance'
import { onTestFinished } from 'vitest'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Folder of the file; default `integration-tests/programs`. */
  readonly folder?: string
  /** Where it runs, and finds what reads TypeScript. Default: here. */
  readonly cwd?: string
}

/** What this Node needs to read TypeScript: nothing where it reads it by itself. */
const loader: readonly string[] =
  'typescript' in process.features && process.features.typescript ? [] : ['--import', 'tsx']

export class Program {
  readonly pid: number
  /** Settles when it has ended and all that was written was read, also by children that had its standard output. */
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''
  #onOutput: (() => void)[] = []

  constructor(file: string, options: RunOptions = {}) {
    const path = join(options.folder ?? join(import.meta.dirname, '..', 'programs'), file)
    const flags = path.endsWith('.ts') ? loader : []
    const child = spawn(process.execPath, [...flags, path, ...(options.args ?? [])], {
      cwd: options.cwd ?? import.meta.dirname,
      env: { ...process.env, ...options.env },
      // A group of its own: Ctrl-C goes to a whole group, and not to this one.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (child.pid === undefined) throw new Error(`${path} could not be started`)
    this.pid = child.pid
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      for (const look of this.#onOutput.splice(0)) look()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        for (const look of this.#onOutput.splice(0)) look()
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr })
      })
    })
    onTestFinished(() => this.#sweep())
  }

  /** What follows `word` on the first line of standard output that begins with it. */
  async line(word: string): Promise<string> {
    let over = false
    const ended = this.ended.then(() => (over = true))
    for (;;) {
      const lines = this.#stdout.split('\n').slice(0, -1)
      const found = lines.find((line) => line === word || line.startsWith(`${word} `))
      if (found !== undefined) return found.slice(word.length + 1)
      if (over) throw new Error(`ended without saying "${word}": ${this.#stdout}${this.#stderr}`)
      await Promise.race([new Promise<void>((resolve) => this.#onOutput.push(resolve)), ended])
    }
  }

  /** The process ids on that line, and of every other process that descends from this program now. */
  async family(word: string): Promise<number[]> {
    const said = (await this.line(word)).split(' ').map(Number)
    const family = new Set([this.pid, ...said])
    for (let known = 0; known < family.size;) {
      known = family.size
      for (const { pid, parent } of processTable()) if (family.has(parent)) family.add(pid)
    }
    family.delete(this.pid)
    return [...family]
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  /** As the terminal does for Ctrl-C: to all processes of the group. */
  killGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal)
  }

  #sweep(): void {
    for (const { pid, parent } of processTable()) {
      if ((pid === this.pid || parent === this.pid) && isRunning(pid)) process.kill(pid, 'SIGKILL')
    }
    try {
      this.killGroup('SIGKILL')
    } catch (error) {
      // ESRCH: the whole group has ended, as it should.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
}
