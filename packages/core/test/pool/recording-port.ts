/** A worker on a port that hands out given chunks and keeps what it is told. */
import { expect } from 'vitest'
import { encode } from '../../src/codec/index.ts'
import type { Assignment, WorkerPort } from '../../src/contract/fleet.ts'
import type { TargetRef } from '../../src/contract/target.ts'
import { readOutcomes } from '../../src/pool/outcomes.ts'
import { runWorker, type WorkerDeps } from '../../src/pool/worker.ts'
import { decode, workerDeps } from './loopback.ts'

export interface Told {
  readonly first: number
  readonly count: number
  readonly until: number
}

export type Outcome = { readonly value: unknown } | { readonly error: unknown }

export class RecordingPort implements WorkerPort {
  readonly told: Told[] = []
  readonly outcomes: Outcome[][] = []
  /** Of the running chunk: tasks below are reported, none from `until` on may start. */
  reported = 0
  until = 0
  readonly #assignments: Assignment[]

  constructor(assignments: Assignment[]) {
    this.#assignments = [...assignments]
  }

  next(): Assignment | null {
    const next = this.#assignments.shift() ?? null
    if (next === null) return null
    this.outcomes.push([])
    this.reported = next.first
    this.until = next.first + 1
    return next
  }

  report(_chunk: number, first: number, count: number, outcomes: Uint8Array, until: number): void {
    expect(first).toBe(this.reported)
    this.told.push({ first, count, until })
    this.reported += count
    this.until = until
    if (count === 0) return
    const all = this.outcomes.at(-1) ?? []
    readOutcomes(outcomes, count, first, decode, {
      fulfilled: (index, value) => (all[index] = { value }),
      rejected: (index, error) => (all[index] = { error }),
    })
  }

  get values(): unknown[] {
    return (this.outcomes.at(-1) ?? []).map((outcome) => ('value' in outcome ? outcome.value : outcome.error))
  }
}

export const ref: TargetRef = { module: 'tasks', export: 'work' }

export function map(items: readonly unknown[], first = 0, target = ref, timed = false): Assignment {
  return { chunk: 1, target, shape: 'map', count: items.length, payload: encode(items), timed, first }
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

export function run(port: WorkerPort, work: (item: never) => unknown, more: Partial<WorkerDeps> = {}): Promise<void> {
  const call = work as (...args: unknown[]) => unknown
  return runWorker(port, { ...workerDeps, resolveTarget: () => Promise.resolve(call), ...more })
}
