import type { Queue } from '@skein/core'

export function writesToPipe(): boolean
export function startSleeper(said: Queue<number>): Promise<void>
export function putAll(queue: Queue<Uint8Array>, sizes: readonly number[]): Promise<boolean>
