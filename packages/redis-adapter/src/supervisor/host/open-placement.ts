/** `serve: false`: every process of this program runs in another one that said `serve: true`. */
import type { Broker, Placed, Placement, StarterEvents, StartSpec } from '@skein/core/adapter'
import { cancelled, described, refused } from './placing.ts'
import type { Offered, OpenWork } from './open-work.ts'
import { RunObject } from './run-object.ts'

export class OpenPlacement implements Placement {
  readonly #work: OpenWork
  readonly #broker: Broker
  readonly #program: string
  #starts = 0

  constructor(work: OpenWork, broker: Broker, program: string) {
    this.#work = work
    this.#broker = broker
    this.#program = program
  }

  start(spec: StartSpec, events: StarterEvents): Placed {
    let offered: Offered | null = null
    const offer = (): void => {
      const what = { ...described(spec), run: run.name }
      offered = this.#work.put(what, (error) => {
        if (run.takeBack(error)) events.ended(refused(error))
      })
    }
    const run: RunObject = this.#broker.add(
      new RunObject(
        `${spec.id}#${(this.#starts += 1)}`,
        { ...spec, keeper: this.#program },
        { ...events, claimed: () => offered?.taken(), released: offer },
      ),
    )
    offer()
    return {
      cancel: () => {
        if (run.takeBack(new Error('the start was taken back'))) {
          offered?.takeBack()
          queueMicrotask(() => events.ended(cancelled))
        } else if (!run.started) run.kill()
        // Else whoever wants it ended has it.
      },
    }
  }

  async close(): Promise<void> {
    this.#work.close()
  }
}
