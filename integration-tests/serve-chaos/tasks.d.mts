import type { Barrier } from '@skein/core'

export function mark(file: string, ms: number): Promise<number>
export function meet(barrier: Barrier): Promise<void>
export function beginAndEnd(n: number, file: string): void
export function square(n: number): number
export function squareAndMark(n: number, file: string): Promise<number>
