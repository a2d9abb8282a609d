/** Processes start when the job of their start has come back through Redis. */
import type { Launch, Placed, Placement, StartSpec, StarterEvents } from '@skein/core/adapter'
import type { Surround } from '../surround.ts'
import { cancelled, described, refused } from './placing.ts'
import { type OpenQueue, WorkLine } from './work-line.ts'

export class RedisPlacement implements Placement {
  readonly #line: WorkLine

  constructor(around: Surround, open: OpenQueue) {
    this.#line = new WorkLine(around, 'spawn', (sid) => sid, open)
  }

  start(spec: StartSpec, events: StarterEvents, launch: Launch): Placed {
    const takeBack = this.#line.send({
      json: JSON.stringify(described(spec)),
      taken: () => launch(spec, events),
      refused: (error) => events.ended(refused(error)),
    })
    return {
      cancel: () => {
        if (takeBack()) queueMicrotask(() => events.ended(cancelled))
      },
    }
  }

  /** Deletes the queue of starts. */
  close(): Promise<void> {
    return this.#line.close()
  }
}
