/** Starts children and gives each a session at the broker: what the process and the fleet have in common. */
import type { Needs } from '../../contract/adapter.ts'
import { StateError } from '../../errors.ts'
import type { ProcessInfo } from '../boot.ts'
import { Children, type EncodedExit, type StartSpec } from '../children.ts'
import type { FifoStock } from '../fifo-stock.ts'
import { type Frame, op } from '../../wire/frame.ts'
import type { Link } from '../../wire/link.ts'
import type { Broker } from './broker.ts'
import type { TargetPolicy } from '../../target/index.ts'
import type { BrokerObject } from './broker-object.ts'
import { LeftOutput } from './output.ts'
import type { ProcessOutput } from './process-output.ts'
import type { Session } from './session.ts'
import type { Placed, Placement } from '../backend.ts'
import type { Nature } from '../boot.ts'
import type { Liveness } from '../liveness.ts'
import { fileSlot } from '../../wire/tenure-slot.ts'

/** How many ended processes keep their record for those who learn of them late. */
const REMEMBERED = 1_000
/** Bytes of their results and errors that are kept with them; those of the last one in any case. */
const MOST_BYTES = 32 * 1024 * 1024
/** Bytes of what they have written that nobody has read, and of their logs: apart, so that what was read pushes out nothing that was not. */
const MOST_UNREAD = 32 * 1024 * 1024
const MOST_LOGGED = 16 * 1024 * 1024

/** A process that runs, here or elsewhere, as those see it who started it. */
export interface Running {
  /** Whether it runs on this machine as a child of this program: then its pid may be signalled and its clock is ours. */
  readonly here: boolean
  readonly link: Pick<Link, 'send'>
  /** SIGTERM now, SIGKILL after `grace` milliseconds. */
  terminate(grace: number): void
  kill(): void
  /** SIGINT; nothing follows. */
  interrupt(): void
  /** Of a worker that runs elsewhere: asks for the chunks that it has not started. A `recalled` frame answers. */
  recall?(): void
}

/** Milliseconds for the word to come that a process elsewhere has ended. */
const PATIENCE = 1_000

export interface StarterEvents {
  started(child: Running, info: ProcessInfo): void
  /** It has not begun there, and never will: it is to start elsewhere. */
  released?(): void
  loaded(): void
  /** A frame that may be meant for whoever started the child, such as a worker's report; `false`: it is its session's. */
  frame?(frame: Frame): boolean
  ended(exit: EncodedExit): void
}

/** Starts a process in this program, at once. */
export type Launch = (spec: StartSpec, events: StarterEvents) => void

const launched: Placed = {
  cancel: () => {
    // It runs: whoever wants it ended has the child.
  },
}

export interface StarterHome {
  /** The id of this program's main process. */
  readonly program: string
  readonly namespace: string
  readonly nature: Nature
  /** A child is about to be started here. */
  launching(): void
  /** `null`: every process is launched at once. */
  readonly placement: Placement | null
  /** `null`: what a process holds ends with the process alone. */
  readonly liveness: Liveness | null
}

export class Starter {
  readonly #broker: Broker
  readonly #home: StarterHome
  readonly #children: Children
  readonly #ended: { readonly process: BrokerObject; readonly bytes: number; readonly output: ProcessOutput }[] = []
  #endedBytes = 0
  readonly #unread = new LeftOutput(MOST_UNREAD)
  readonly #logs = new LeftOutput(MOST_LOGGED)
  /** Asked for and not ended: each may still be on its way. */
  readonly #placed = new Set<Placed>()
  /** What other programs run for this one. */
  readonly #elsewhere = new Set<Running>()
  #idle: (() => void) | null = null
  #stopping = false

  constructor(broker: Broker, home: StarterHome, stock: FifoStock) {
    this.#broker = broker
    this.#home = home
    this.#children = new Children(stock, home.program)
  }

  start(of: Omit<StartSpec, 'namespace' | 'nature'>, events: StarterEvents): Placed {
    const { namespace, nature, placement } = this.#home
    const { policy = this.policyOf(of.parent.id), lodged = this.lodges(of.parent.id) } = of
    const spec = { ...of, namespace, nature, policy, lodged }
    if (placement === null) {
      this.launch(spec, events)
      return launched
    }
    let running: Running | null = null
    const placed = placement.start(
      spec,
      {
        ...events,
        started: (child, info) => {
          // What outlives this program is left alone.
          if (!child.here && !spec.options.detached) {
            running = child
            this.#elsewhere.add(child)
            if (this.#stopping) child.kill()
          }
          events.started(child, info)
        },
        released: () => {
          if (running !== null) this.#elsewhere.delete(running)
          running = null
          events.released?.()
          if (this.#stopping) placed.cancel()
        },
        ended: (exit) => {
          this.#placed.delete(placed)
          if (running !== null) this.#elsewhere.delete(running)
          events.ended(exit)
          if (this.#elsewhere.size === 0) this.#idle?.()
        },
      },
      this.launch,
    )
    this.#placed.add(placed)
    if (this.#stopping) placed.cancel()
    return placed
  }

  readonly launch: Launch = (spec, events) => {
    let session: Session | null = null
    const { liveness } = this.#home
    this.#home.launching()
    const slot = liveness === null ? null : fileSlot()
    this.#children.start(
      spec,
      {
        started: (child, info) => {
          const { daemon, parent, role, options, keeper = this.#home.program } = spec
          const about = { daemon, parent: parent.id, role: role.kind, detached: options.detached, program: keeper }
          const own = this.#broker.session(info, { about })
          session = own
          own.connect(child.link)
          liveness?.watch(own, slot)
          events.started(child, info)
          return (frame) => {
            // What comes out of a pipe now may have been written before the process was stopped.
            if (frame.op !== op.output) own.heard?.()
            if (events.frame?.(frame) !== true) own.frame(frame)
          }
        },
        loaded: () => events.loaded(),
        left: () => {
          if (session !== null) this.#broker.end(session)
        },
        ended: (exit) => {
          // What it held goes on before anybody hears of the death: who hears of it finds it free.
          if (session === null) slot?.close()
          else this.#broker.end(session)
          events.ended(exit)
        },
      },
      slot,
    )
  }

  /** What a process may run that this one starts: taken when that is asked for, since later its starter may be gone. */
  policyOf(parent: string): TargetPolicy | null {
    return this.#children.policyOf(parent)
  }

  /** Whether that process runs here for another program, or was started by one that does. Taken when that is asked for, too. */
  lodges(process: string): boolean {
    return this.#children.lodges(process)
  }

  /** Why no host has taken a start that asks for that; `null`: it does not wait for one. */
  async refusals(needs: Needs | null): Promise<readonly string[] | null> {
    return (await this.#home.placement?.refusals?.(needs)) ?? null
  }

  /** Nothing is to be started any more. */
  get stopping(): boolean {
    return this.#stopping
  }

  /**
   * Keeps an ended process's record for a while, and of what it wrote what may still be read.
   *
   * @param bytes of what it came to
   */
  remember(process: BrokerObject, bytes: number, output: ProcessOutput): void {
    this.#unread.add(output.unread)
    this.#logs.add([output.log])
    this.#ended.push({ process, bytes, output })
    this.#endedBytes += bytes
    while (this.#ended.length > REMEMBERED || (this.#endedBytes > MOST_BYTES && this.#ended.length > 1)) {
      const oldest = this.#ended.shift()
      this.#endedBytes -= oldest?.bytes ?? 0
      oldest?.output.discard()
      oldest?.process.remove?.(new StateError('the process ended long ago and its record is gone'))
    }
  }

  /** Ends all children at once. */
  kill(): void {
    this.#cancel()
    this.#children.kill()
    for (const running of this.#elsewhere) running.kill()
  }

  /** Ends all children, first politely. */
  async stop(grace: number): Promise<void> {
    this.#stopping = true
    this.#cancel()
    for (const running of this.#elsewhere) running.terminate(grace)
    await Promise.all([this.#children.stop(grace), this.#leftElsewhere(grace + PATIENCE)])
  }

  /** Resolves when nothing runs elsewhere any more. Who does not say so in time is left to find out that this program is gone. */
  async #leftElsewhere(patience: number): Promise<void> {
    if (this.#elsewhere.size === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patience)
      this.#idle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #cancel(): void {
    for (const placed of this.#placed) placed.cancel()
  }
}
