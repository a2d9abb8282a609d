import type { Queue } from '@skein/core'

export function hostAndPid(): [host: string, pid: number]
export function numberAfter(ms: number): Promise<number>
export function sayOften(said: Queue<number>): Promise<never>
