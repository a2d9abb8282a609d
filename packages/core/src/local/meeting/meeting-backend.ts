/**
 * `local:NAME`: programs of one machine that share what has a name, and send each other handles. The first one hosts: its broker keeps
 * every object but processes and pools, which each program runs under its own supervisor. The others are guests, who pass on what
 * their processes say. When the host ends, all that it kept is gone, and the name is free.
 */
import { join } from 'node:path'
import { openForeign } from '../../client/foreign.ts'
import { ConnectionError } from '../../errors.ts'
import type { Backend, Opened, SupervisorHost } from '../../supervisor/backend.ts'
import type { Broker, Foreign, ObjectFactory } from '../../supervisor/broker/broker.ts'
import type { BrokerObject } from '../../supervisor/broker/broker-object.ts'
import type { Session } from '../../supervisor/broker/session.ts'
import type { Starter } from '../../supervisor/broker/starter.ts'
import { monotonic } from '../../util/clock.ts'
import { localBackend } from '../local-backend.ts'
import { freshSocket, meetingDirectory } from './directory.ts'
import { Door } from './door.ts'
import { differs, welcome, type Welcome } from './hello.ts'
import { HostLine } from './host-line.ts'
import { Neighbours } from './neighbours.ts'
import { takeSeat } from './seat.ts'

/** Milliseconds within which `connect()` knows who hosts. */
const DEADLINE = 4_500

interface Open {
  readonly door: Door
  readonly neighbours: Neighbours
  readonly welcome: Welcome
  /** To the host; `null`: this program is it. */
  readonly line: HostLine | null
  readonly leave: () => void | Promise<void>
}

export class MeetingBackend implements Backend {
  readonly #name: string
  #open: Open | null = null
  #closed = false

  /** @param name as in `local:NAME` */
  constructor(name: string) {
    this.#name = name
  }

  async open({ program, namespace }: SupervisorHost): Promise<Opened> {
    const name = `local:${this.#name}`
    const deadline = monotonic() + DEADLINE
    const directory = await meetingDirectory(this.#name, namespace)
    // Open before anybody can be led to it.
    const socket = freshSocket(program)
    const door = await Door.open(join(directory, socket))
    try {
      const line: HostLine = new HostLine(() => this.#hostGone(seat.host?.welcome.pid))
      const seat = await takeSeat({ directory, program, socket, name, deadline, answered: line })
      const different = seat.host === null ? null : differs(seat.host.welcome.version, name)
      if (different !== null) throw different
      // Another host of the name has other objects, whatever they are called.
      const scope = seat.host?.welcome.scope ?? `${name} ${program}`
      if (seat.host !== null) line.connect(seat.host.link)
      this.#open = {
        door,
        neighbours: new Neighbours(directory, program),
        welcome: welcome(scope),
        line: seat.host === null ? null : line,
        leave: seat.host === null ? seat.leave : () => line.close(),
      }
      return { scope }
    } catch (error) {
      door.close()
      throw error
    }
  }

  kinds(broker: Broker, starter: Starter): Readonly<Record<string, ObjectFactory>> {
    const { door, line, welcome: said } = this.#opened
    const hosts = line === null
    door.begin({ broker, welcome: said, hosts })
    return hosts ? localBackend.kinds(broker, starter) : {}
  }

  opened(session: Session): void {
    // Sessions of other programs come through the door.
    if (session.near) this.#opened.line?.enter(session)
  }

  ended(session: Session): void {
    this.#open?.line?.leave(session)
  }

  /** Everything else is the host's. */
  elsewhere(of: Foreign): Promise<BrokerObject> | null {
    const { neighbours } = this.#opened
    return of.kind === 'process' ? openForeign(of, (program) => neighbours.reach(program)) : null
  }

  stopping(): void {
    this.#opened.door.stopHosting()
  }

  async close(): Promise<void> {
    const { door, neighbours, leave } = this.#opened
    this.#closed = true
    neighbours.close()
    await leave()
    door.close()
  }

  #hostGone(pid: number | undefined): void {
    if (this.#closed || this.#open === null) return
    const { door, line } = this.#open
    // What it runs goes on, but nobody else can ask for it any more.
    door.close()
    line?.lose(
      new ConnectionError(
        `the program that hosted local:${this.#name} (pid ${pid}) has ended or closed its context, and what it kept is gone; connect() again`,
      ),
    )
  }

  get #opened(): Open {
    if (this.#open === null) throw new Error('the backend was asked for something before it was open')
    return this.#open
  }
}
