import type { Lock, Queue } from '@skein/core'

export function hostPid(): number
export function nodeMajor(): number
export function answer(asked: Queue<{ ask: number | null }>, lock: Lock, answered: Queue<number>): Promise<void>
export function square(n: number): number
