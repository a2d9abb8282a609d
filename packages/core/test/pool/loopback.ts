/** A pool on a loopback fleet, with the real codec. Targets are found by their name, in place of their module. */
import { decode as decodeWith, encode, encodeThrown } from '../../src/codec/index.ts'
import type { Pool, PoolOptions } from '../../src/contract/pool.ts'
import type { TargetRef } from '../../src/contract/target.ts'
import { ArgumentError, ScopeError, TargetNotFoundError } from '../../src/errors.ts'
import { createPool } from '../../src/pool/pool.ts'
import type { WorkerDeps } from '../../src/pool/worker.ts'
import { LoopbackFleet } from './loopback-fleet.ts'

type AnyTarget = (...args: never[]) => unknown

const exported = new Map<string, AnyTarget>()

/** Makes a function known under its name. */
export function refOf(target: unknown): TargetRef {
  if (typeof target !== 'function')
    throw new ArgumentError(`a target must be an exported function, got ${typeof target}`)
  if (target.name !== 'missing') exported.set(target.name, target as AnyTarget)
  return { module: 'tasks', export: target.name }
}

export async function resolveTarget(ref: TargetRef): Promise<(...args: unknown[]) => unknown> {
  const target = exported.get(ref.export)
  if (target === undefined) throw new TargetNotFoundError(`tasks has no export "${ref.export}"`)
  return target as (...args: unknown[]) => unknown
}

export function decode(bytes: Uint8Array): unknown {
  return decodeWith(bytes, ({ name }) => {
    throw new ScopeError(`no context to attach ${name} to`)
  })
}

export const workerDeps: WorkerDeps = { resolveTarget, encode, decode, encodeFailure: encodeThrown }

export interface Loopback {
  readonly pool: Pool
  readonly fleet: LoopbackFleet
}

export function openLoopback<I extends unknown[]>(size = 2, options?: PoolOptions<I>): Loopback {
  let fleet: LoopbackFleet | undefined
  const pool = createPool(size, options, {
    openFleet: (spec, events) => (fleet = new LoopbackFleet(spec, events, workerDeps)),
    encode,
    decode,
    refOf,
  })
  if (fleet === undefined) throw new Error('no fleet was opened')
  return { pool, fleet }
}

/** Lets everything that waits for nothing but promises come to rest. */
export function settle(): Promise<void> {
  return new Promise((resume) => {
    setImmediate(resume)
  })
}
