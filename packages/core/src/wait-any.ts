/** `wait()`: of several processes and connections, those that are ready. */
import type { Waitable } from './contract/context.ts'
import type { Process } from './contract/process.ts'
import type { Connection } from './contract/pipe.ts'
import type { WaitOptions } from './contract/wait.ts'
import { ArgumentError, TimeoutError } from './errors.ts'
import { describe } from './util/describe.ts'
import { checkWait, isPoll, timedOut } from './util/wait.ts'

type Ready = (wait: WaitOptions) => Promise<boolean>

/**
 * Each is asked in its own way, and the questions that are left open are given up when one is answered.
 *
 * @param admit refuses what belongs to another context
 */
export async function waitAny<W extends Waitable>(
  things: readonly W[],
  wait: WaitOptions | undefined,
  admit: (thing: Waitable) => void,
): Promise<W[]> {
  const own = checkWait(wait)
  if (!Array.isArray(things)) {
    throw new ArgumentError(`wait(): things must be an array of processes and connections, got ${describe(things)}`)
  }
  const asked = things.map((thing, index) => readiness(thing, index))
  for (const thing of things) admit(thing)
  own.signal?.throwIfAborted()
  const now = async (): Promise<W[]> => {
    const ready = await Promise.all(asked.map((ask) => ask({ timeout: 0 })))
    return things.filter((_, index) => ready[index])
  }
  const at = await now()
  if (at.length > 0 || things.length === 0) return at
  if (isPoll(own)) throw timedOut(WHAT, own)
  const over = new AbortController()
  const { signal } = over
  const given = own.signal === undefined ? signal : AbortSignal.any([own.signal, signal])
  try {
    const open = asked.map((ask) => ask({ timeout: own.timeout, signal: given }))
    const first = await Promise.race(open)
    if (!first) throw timedOut(WHAT, own)
  } finally {
    over.abort()
  }
  return await now()
}

const WHAT = 'none of what was waited for was ready'

function readiness(thing: Waitable, index: number): Ready {
  if (isProcess(thing)) return (wait) => joined(thing, wait)
  if (isConnection(thing)) {
    return ({ timeout = Number.POSITIVE_INFINITY, signal }) => thing.poll(timeout, { signal })
  }
  throw new ArgumentError(`wait(): things[${index}] must be a process or a connection, got ${describe(thing)}`)
}

function kindOf(thing: unknown): unknown {
  return typeof thing === 'object' && thing !== null && 'ref' in thing ? (thing.ref as { kind?: unknown }).kind : null
}

function isProcess(thing: unknown): thing is Process<unknown> {
  return kindOf(thing) === 'process'
}

function isConnection(thing: unknown): thing is Connection<never, unknown> {
  return kindOf(thing) === 'pipe'
}

/** `false`: it runs on. */
async function joined(process: Process<unknown>, wait: WaitOptions): Promise<boolean> {
  try {
    await process.join(wait)
    return true
  } catch (error) {
    if (error instanceof TimeoutError) return false
    throw error
  }
}
