import type { JoinableQueue, Queue } from '@skein/core'

export function workOff(queue: JoinableQueue<number>, done: Queue<number>, pace: number): Promise<void>
