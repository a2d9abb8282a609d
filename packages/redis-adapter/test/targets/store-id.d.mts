import type { Queue } from '@skein/core'
export function fill(first: Queue<string>, second: Queue<string>): Promise<void>
