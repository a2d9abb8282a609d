/** `serve: false`: every process of this program runs in another one that said `serve: true`. */
import type { Broker, Placed, Placement, StarterEvents, StartSpec } from '@skein/core/adapter'
import { cancelled, described, refused } from './placing.ts'
import type { Offered, OpenWork } from './open-work.ts'
import { RunObject } from './run-object.ts'

export class OpenPlacement implements Placement {
  readonly #work: OpenWork
  readonly #broker: Broker
  readonly #program: string

  constructor(work: OpenWork, broker: Broker, program: string) {
    this.#work = work
    this.#broker = broker
    this.#program = program
  }

  start(spec: StartSpec, events: StarterEvents): Placed {
    let over = false
    const ended: StarterEvents['ended'] = (exit) => {
      if (over) return
      over = true
      offered.takeBack()
      events.ended(exit)
    }
    let running = false
    const started: StarterEvents['started'] = (child, info) => {
      running = true
      offered.taken()
      events.started(child, info)
    }
    const run: RunObject = this.#broker.add(new RunObject(spec, { ...events, started, ended }, () => put()))
    const json = JSON.stringify({ ...described(spec), program: this.#program })
    let offered: Offered
    const put = (): void => {
      offered = this.#work.put(json, (error) => {
        if (run.claimed) return
        run.remove?.(error)
        ended(refused(error))
      })
    }
    put()
    return {
      cancel: () => {
        if (over) return
        if (run.claimed) {
          // Else whoever wants it ended has it.
          if (!running) run.kill()
          return
        }
        run.remove?.(new Error('the start was taken back'))
        queueMicrotask(() => ended(cancelled))
      },
    }
  }

  async close(): Promise<void> {
    this.#work.close()
  }
}
