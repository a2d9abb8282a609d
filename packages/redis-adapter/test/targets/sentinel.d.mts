import type { Queue } from '@skein/core'
export function give(queue: Queue<number>, item: number): Promise<void>
