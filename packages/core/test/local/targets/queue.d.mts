import type { Queue } from '@skein/core'

export function takeThenReturn(queue: Queue<number>, count: number): Promise<number>
export function takeThenExit(queue: Queue<number>, count: number): Promise<void>
export function takeThenCompute(queue: Queue<number>, said: Queue<string>, count: number): Promise<void>
export function drain(queue: Queue<number>, count: number): Promise<{ items: number[]; at: bigint }>
export function putSmallThenLarge(queue: Queue<Uint8Array>, bytes: number): Promise<string>
