/** A program's session without the rest of it: what it tells, and its end on command. */
import type { Session } from '@skein/core/adapter'
import { onTestFinished } from 'vitest'
import { serverOf } from '../src/options.ts'
import { type Guard, type Opened, openSurround } from '../src/supervisor/opening.ts'

/** Processes of the program, which have made the objects without a name. */
const makers = ['p', 'q'].map((id) => ({ process: { id } }) as Session)

export const TTL = 500

export interface Program extends Opened {
  readonly lost: Error[]
  readonly confirmed: { readonly mono: number; readonly wall: number }[]
  readonly interruptions: boolean[]
  /** Ends it as a crash does: without a word to Redis. */
  crash(): void
}

export async function program(url: string, namespace: string, ttl = TTL): Promise<Program> {
  const lost: Error[] = []
  const confirmed: { mono: number; wall: number }[] = []
  const interruptions: boolean[] = []
  const guard: Guard = {
    program: 'test',
    sessions: () => makers,
    confirm: (until) => confirmed.push(until),
    lose: (reason) => lost.push(reason),
    interrupted: (on) => interruptions.push(on),
    alias: () => undefined,
  }
  const start = { servers: [serverOf(url)], quorum: false } as const
  const opened = await openSurround(
    start,
    { namespace, sessionTtl: ttl, outage: Number.POSITIVE_INFINITY, serve: null },
    guard,
  )
  let over = false
  const close = async (): Promise<void> => {
    if (over) return
    over = true
    await opened.close()
  }
  onTestFinished(close)
  const crash = (): void => {
    over = true
    opened.abandon()
  }
  return { ...opened, close, crash, lost, confirmed, interruptions }
}

export async function told<T>(subscribe: (told: (value: T) => void) => unknown): Promise<T> {
  return new Promise((resolve) => subscribe(resolve))
}

export async function beats(one: Program, count: number): Promise<void> {
  const enough = one.confirmed.length + count
  while (one.confirmed.length < enough) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Settles when the connection over which the key is asked for is lost. */
export function closed(one: Program, key: string): Promise<void> {
  return told((listener) => one.around.store.partOf(key).client.once('close', listener))
}
