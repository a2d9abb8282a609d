import type { Lock, Queue } from '@skein/core'

export interface Found {
  readonly atOnce: string
  readonly expiresIn: number
  readonly aborted: boolean
  readonly released: boolean
  readonly again: string
  readonly token: number
  readonly next: number
}

export function holdThroughStop(lock: Lock, said: Queue<number>, path: string): Promise<Found>
export function waitThroughStop(lock: Lock, other: Lock, said: Queue<number>): Promise<string>
export function holdAndCompute(
  lock: Lock,
  said: Queue<number>,
  time: number,
): Promise<{ readonly atOnce: string; readonly released: boolean }>
export function receiveThenWait(items: Queue<string>, said: Queue<number>, more: Queue<string>): Promise<string>
