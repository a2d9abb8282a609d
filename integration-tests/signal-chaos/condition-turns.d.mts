import type { Condition, Context, Lease } from '@skein/core'

type Write = (what: 'E' | 'L', lease: Lease) => void
type Say = (word: string) => void

export function conditionOf(mp: Context, name: string): Condition
export function scribe(history: string): (flow: number) => Write
export function waitOnce(condition: Condition, write: Write, hold: number, say?: Say): Promise<void>
export function notifyOnce(condition: Condition, write: Write, count: number, hold: number, say?: Say): Promise<void>
