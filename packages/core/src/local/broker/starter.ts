/** Starts children and gives each a session at the broker: what the process and the fleet have in common. */
import { StateError } from '../../errors.ts'
import type { ProcessInfo } from '../../supervisor/boot.ts'
import { type Child, Children, type EncodedExit, type StartSpec } from '../../supervisor/children.ts'
import type { FifoStock } from '../../supervisor/fifo-stock.ts'
import type { Frame } from '../../wire/frame.ts'
import type { Broker } from './broker.ts'
import type { BrokerObject } from './broker-object.ts'
import type { Session } from './session.ts'

/** How many ended processes keep their record for those who learn of them late. */
const REMEMBERED = 1_000

export interface StarterEvents {
  started(child: Child, info: ProcessInfo): void
  loaded(): void
  /** A frame that may be meant for whoever started the child, such as a worker's report; `false`: it is its session's. */
  frame?(frame: Frame): boolean
  ended(exit: EncodedExit): void
}

export class Starter {
  readonly #broker: Broker
  readonly #namespace: string
  readonly #children: Children
  readonly #ended: BrokerObject[] = []

  constructor(broker: Broker, namespace: string, stock: FifoStock) {
    this.#broker = broker
    this.#namespace = namespace
    this.#children = new Children(stock)
  }

  start(spec: Omit<StartSpec, 'namespace'>, events: StarterEvents): void {
    let session: Session | null = null
    this.#children.start(
      { ...spec, namespace: this.#namespace },
      {
        started: (child, info) => {
          const own = this.#broker.session(info)
          session = own
          own.connect(child.link)
          events.started(child, info)
          return (frame) => {
            if (events.frame?.(frame) !== true) own.frame(frame)
          }
        },
        loaded: () => events.loaded(),
        ended: (exit) => {
          // What it held goes on before anybody hears of the death: who hears of it finds it free.
          if (session !== null) this.#broker.end(session)
          events.ended(exit)
        },
      },
    )
  }

  /** Keeps an ended process's record for a while. */
  remember(process: BrokerObject): void {
    this.#ended.push(process)
    if (this.#ended.length <= REMEMBERED) return
    this.#ended.shift()?.remove?.(new StateError('the process ended long ago and its record is gone'))
  }

  /** Ends all children at once. */
  kill(): void {
    this.#children.kill()
  }

  /** Ends all children, first politely. */
  stop(grace: number): Promise<void> {
    return this.#children.stop(grace)
  }
}
