/** The programs of a chaos run, the file in which they write their history, and a look at it while it grows. */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, closeSync, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { expect } from 'vitest'
import { pause } from '../support/chaos.ts'
import { remove } from '../support/remove.ts'
import { History } from './history.ts'
import { copyOf, type Mutant } from './mutants.ts'

export interface ArenaPlan {
  /** With commas in between. */
  readonly urls: string
  readonly namespace: string
  /** In ms. */
  readonly sessionTtl: number
  readonly mutant: Mutant | null
  /** Default: a lock. */
  readonly kind?: 'lock' | 'rwlock'
  /** Each program has one flow in its main process, and in each child: */
  readonly flows: number
  readonly children: number
  /** How long a lock is held, in ms, all of them computing. */
  readonly hold: number
}

/** Milliseconds. */
export const SESSION_TTL = 2_000

export const sizes = { sessionTtl: SESSION_TTL, children: 2, flows: 2, hold: 4 } as const

/** In four programs of these sizes. */
export const FLOWS: number = 4 * (1 + sizes.children * sizes.flows)

/** One program: its main process and its children. */
export class Contender {
  readonly pid: number
  readonly children = new Set<number>()
  readonly ended: Promise<number | null>
  readonly ready: Promise<void>
  readonly #process: ChildProcess
  stderr = ''

  constructor(folder: string, args: readonly string[]) {
    this.#process = spawn(process.execPath, [join(folder, 'worker.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.pid = this.#process.pid ?? 0
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code) => resolve(code))
    })
    const { stdout } = this.#process
    if (stdout === null) throw new Error('no output to listen to')
    const lines = createInterface({ input: stdout })
    this.ready = new Promise((resolve) => {
      lines.on('line', (line) => {
        if (line === 'ready') resolve()
        else this.children.add(Number(line.split(' ')[1]))
      })
      lines.once('close', () => resolve())
    })
  }
}

export class Arena {
  readonly history = new History()
  readonly #folder: string
  readonly #plan: ArenaPlan
  readonly #path: string
  readonly #stop: string
  readonly #file: number
  readonly #buffer = Buffer.alloc(1 << 16)
  #rest = ''
  readonly #all = new Set<Contender>()

  constructor(plan: ArenaPlan) {
    this.#plan = plan
    this.#folder = copyOf(plan.mutant)
    this.#path = join(this.#folder, 'history')
    this.#stop = join(this.#folder, 'stop')
    writeFileSync(this.#path, '')
    this.#file = openSync(this.#path, 'r')
  }

  start(): Contender {
    const { urls, namespace, sessionTtl, children, flows, hold, kind = 'lock' } = this.#plan
    const own = { history: this.#path, stop: this.#stop, flows, hold, kind }
    const one = new Contender(this.#folder, [
      urls,
      namespace,
      String(sessionTtl),
      String(children),
      JSON.stringify(own),
    ])
    this.#all.add(one)
    return one
  }

  /** A line of the harness's own, in its place among the others. */
  note(line: string): void {
    appendFileSync(this.#path, `${line}\n`)
  }

  /** Grants of all flows so far. */
  get grants(): number {
    return [...this.read().verdict.grants.values()].reduce((sum, one) => sum + one, 0)
  }

  /** Milliseconds until the next grant. */
  async granted(): Promise<number> {
    const [start, before] = [performance.now(), this.grants]
    await expect.poll(() => this.grants, { timeout: 20_000, interval: 5 }).toBeGreaterThan(before)
    return performance.now() - start
  }

  /** All of them stand in line: who came later would have had fewer turns. */
  async begun(flows: number): Promise<void> {
    await Promise.all([...this.#all].map(({ ready }) => ready))
    await expect.poll(() => this.read().verdict.grants.size, { timeout: 30_000 }).toBeGreaterThanOrEqual(flows)
  }

  /** Everybody who stands in line now is served. */
  async goesOn(flows: number): Promise<void> {
    const before = new Map(this.read().verdict.grants)
    const served = (): number => {
      const { grants } = this.read().verdict
      return [...grants].filter(([flow, count]) => count > (before.get(flow) ?? 0)).length
    }
    await expect.poll(served).toBeGreaterThanOrEqual(flows)
  }

  /** Does it until a fault has shown itself: some do only where somebody holds at that moment. Resolves also if none ever does. */
  async provoke(act: () => Promise<void>): Promise<void> {
    const found = (): boolean => this.read().verdict.violations.length > 0
    for (let turn = 0; turn < 4 && !found(); turn += 1) {
      await act()
      for (const end = performance.now() + 8_000; !found() && performance.now() < end;) await pause(50)
    }
  }

  /** Reads what was written since. */
  read(): History {
    for (;;) {
      const count = readSync(this.#file, this.#buffer, 0, this.#buffer.length, null)
      if (count === 0) return this.history
      const lines = (this.#rest + this.#buffer.toString('utf8', 0, count)).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) this.history.line(line)
    }
  }

  /** Everybody stops after the turn they are waiting for; resolves when all have ended. */
  async stop(): Promise<readonly Contender[]> {
    writeFileSync(this.#stop, '')
    await Promise.all([...this.#all].map(({ ended }) => ended))
    this.read()
    return [...this.#all]
  }

  /** Whatever is left of it. */
  close(): void {
    for (const { pid, children } of this.#all) {
      for (const one of [pid, ...children]) signal(one, 'SIGKILL')
    }
    closeSync(this.#file)
    remove(this.#folder)
  }
}

/** Whether there was such a process. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  // 0 would be this process and all that it has started.
  if (!(pid > 0)) return false
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
