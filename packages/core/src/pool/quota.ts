/** What a worker may do before another takes its place, so that what tasks leave behind in a process goes with it. */
import process from 'node:process'
import type { WorkerLimits } from '../contract/fleet.ts'

export class Quota {
  /** How many tasks may still begin. */
  #tasks: number
  readonly #memory: number

  constructor({ tasks, memory }: WorkerLimits) {
    this.#tasks = tasks
    this.#memory = memory
  }

  get tasks(): number {
    return this.#tasks
  }

  /** No further task may begin. */
  get spent(): boolean {
    return this.#tasks <= 0
  }

  /** Whether the memory is to be looked at after each task. */
  get watchesMemory(): boolean {
    return this.#memory < Infinity
  }

  /** So many tasks have ended. */
  used(tasks: number): void {
    this.#tasks -= tasks
  }

  /** Looks at the memory. `true`: it is more than allowed, and the quota is spent. */
  exceeded(): boolean {
    if (!this.watchesMemory || process.memoryUsage.rss() <= this.#memory) return false
    this.#tasks = 0
    return true
  }
}
