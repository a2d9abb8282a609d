/** Who is killed, and how: children of this program, or programs of their own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { until } from '@skein/conformance'
import type { Context } from '@skein/core'
import { victim } from './victim.mjs'

export type Role = 'party' | 'event' | 'latch' | 'giver' | 'taker' | 'waiter' | 'notifier'

export interface Victim {
  readonly pid: number
  /** How often it has written that word. */
  said(word: string): number
  /** At once; resolves when the system says that it has ended. */
  kill(): Promise<void>
  /** As `kill`, for one that was to live. */
  end(): Promise<void>
}

/** Starts one; resolves when it is about to begin. @param history the file of the lock's, where there is one */
export type StartVictim = (role: Role, name: string, history?: string) => Promise<Victim>

export class Crew {
  readonly #folder = mkdtempSync(join(tmpdir(), 'signal-chaos-'))
  readonly #programs = new Set<ChildProcess>()
  #count = 0
  kills = 0

  /** Children of the context's program. */
  children(mp: Context): StartVictim {
    return async (role, name, history = '') => {
      const path = this.file()
      const child = mp.process(victim, [role, name, path, history], { daemon: true })
      await child.start()
      return this.#victim(path, Number(child.pid), async () => {
        await child.join()
      })
    }
  }

  /** Programs of their own. */
  programs(url: string, namespace: string, sessionTtl: number): StartVictim {
    return async (role, name, history = '') => {
      const path = this.file()
      const file = fileURLToPath(new URL('program.mjs', import.meta.url))
      const args = [file, url, namespace, String(sessionTtl), role, name, path, history]
      const program = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
      this.#programs.add(program)
      const ended = new Promise<void>((resolve) => program.once('exit', () => resolve()))
      return this.#victim(path, Number(program.pid), () => ended)
    }
  }

  close(): void {
    for (const program of this.#programs) program.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** An empty file, gone with the crew. */
  file(): string {
    this.#count += 1
    const path = join(this.#folder, String(this.#count))
    writeFileSync(path, '')
    return path
  }

  async #victim(path: string, pid: number, ended: () => Promise<void>): Promise<Victim> {
    const said = (word: string): number =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line === word).length
    await until('the victim is ready', () => said('ready') === 1)
    const end = async (): Promise<void> => {
      process.kill(pid, 'SIGKILL')
      await ended()
    }
    const kill = (): Promise<void> => {
      this.kills += 1
      return end()
    }
    return { pid, said, kill, end }
  }
}
