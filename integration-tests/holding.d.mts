import type { Lock, Queue, Semaphore } from '@skein/core'

export interface Tokens {
  readonly lock: number
  readonly permit: number
}

export interface Verdict {
  readonly lock: string
  readonly permit: string
  /** Of the lease, of the permit, of the delivery: as soon as the process runs again. */
  readonly aborted: readonly boolean[]
  readonly released: readonly boolean[]
  readonly acknowledged: string
}

type Holding = [lock: Lock, permits: Semaphore, items: Queue<string>, held: Queue<Tokens>]

export function holdAndCompute(...args: [...Holding, milliseconds: number]): Promise<Verdict>
export function holdUntilWoken(...args: Holding): Promise<Verdict>
