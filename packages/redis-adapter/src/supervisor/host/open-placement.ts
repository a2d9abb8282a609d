/** What runs in whichever program serves: of a program that said `serve: false` everything, of others what asks for a host. */
import type { Broker, Placed, Placement, StarterEvents, StartSpec } from '@skein/core/adapter'
import { cancelled, described, refused } from './placing.ts'
import type { Surround } from '../surround.ts'
import { textOf } from './needs.ts'
import { type Offered, OpenWork } from './open-work.ts'
import { RunObject } from './run-object.ts'

export class OpenPlacement implements Placement {
  readonly #around: Surround
  /** By what they ask for who are put there. */
  readonly #works = new Map<string, OpenWork>()
  readonly #broker: Broker
  readonly #program: string
  #starts = 0

  constructor(around: Surround, broker: Broker, program: string) {
    this.#around = around
    this.#broker = broker
    this.#program = program
  }

  start(spec: StartSpec, events: StarterEvents): Placed {
    const work = this.#workFor(textOf(spec.options.needs))
    let offered: Offered | null = null
    const offer = (): void => {
      const what = { ...described(spec), run: run.name }
      offered = work.put(what, (error) => {
        if (run.takeBack(error)) events.ended(refused(error))
      })
    }
    const released = (): void => {
      offer()
      events.released?.()
    }
    const run: RunObject = this.#broker.add(
      new RunObject(
        // Not the process's id, which grows with each process that starts another one: hosts take no name of any length.
        String((this.#starts += 1)),
        { ...spec, keeper: this.#program },
        { ...events, claimed: () => offered?.taken(), released },
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

  #workFor(needs: string): OpenWork {
    let work = this.#works.get(needs)
    if (work === undefined) this.#works.set(needs, (work = new OpenWork(this.#around, needs)))
    return work
  }

  async close(): Promise<void> {
    for (const work of this.#works.values()) work.close()
  }
}
