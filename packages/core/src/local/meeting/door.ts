/**
 * The socket at which other programs of this machine reach a supervisor. A guest comes with the sessions of all its processes over one
 * connection, so that what they say arrives in the order in which it was said. Any program may come as a peer and ask for a process.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { encode } from '../../codec/index.ts'
import type { About, ProcessInfo } from '../../supervisor/boot.ts'
import type { Broker } from '../../supervisor/broker/broker.ts'
import type { Session } from '../../supervisor/broker/session.ts'
import { reportDefect } from '../../supervisor/defect.ts'
import { type Frame, op } from '../../wire/frame.ts'
import { relayed, relayHead } from '../../wire/kept-frame.ts'
import { SocketLink } from '../../wire/socket-link.ts'
import { type Hello, read, type Welcome } from './hello.ts'

/** A process of a guest that comes in; `null`: the program as such. */
type Entrant = readonly [process: ProcessInfo, about: About | null]

export interface House {
  readonly broker: Broker
  readonly welcome: Welcome
  /** Whether this program hosts. */
  readonly hosts: boolean
}

export class Door {
  readonly #server: Server
  readonly #visitors = new Set<Visitor>()
  /** Who came before it was known who hosts. */
  #early: Socket[] = []
  #house: House | null = null
  #closing = false

  static async open(path: string): Promise<Door> {
    const server = createServer()
    const door = new Door(server)
    server.listen(path)
    await once(server, 'listening')
    return door
  }

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => this.#knocked(socket))
  }

  /** From now on visitors are let in. */
  begin(house: House): void {
    this.#house = house
    for (const socket of this.#early.splice(0)) this.#knocked(socket)
  }

  /** No more guests: who comes now looks again, until another program hosts. */
  stopHosting(): void {
    this.#closing = true
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#early) socket.destroy()
    for (const visitor of this.#visitors) visitor.leave()
  }

  #knocked(socket: Socket): void {
    if (this.#house === null) {
      socket.on('error', () => socket.destroy())
      this.#early.push(socket)
      return
    }
    const visitor: Visitor = new Visitor(socket, this.#house, {
      welcome: ({ as }) => as === 'peer' || !this.#closing,
      left: () => this.#visitors.delete(visitor),
    })
    this.#visitors.add(visitor)
  }
}

interface VisitorEvents {
  welcome(said: Hello): boolean
  left(): void
}

class Visitor {
  readonly #house: House
  readonly #events: VisitorEvents
  readonly #link: SocketLink
  #said: Hello | null = null
  /** Of a guest's processes, by its own numbers; a peer has one, number 0. */
  readonly #sessions = new Map<number, Session>()

  constructor(socket: Socket, house: House, events: VisitorEvents) {
    this.#house = house
    this.#events = events
    this.#link = new SocketLink(socket, null, {
      frame: (frame) => {
        try {
          this.#frame(frame)
        } catch (error) {
          reportDefect('a message of another program', error)
          this.leave()
        }
      },
      ended: () => this.#ended(),
    })
  }

  leave(): void {
    this.#link.destroy()
  }

  #frame(frame: Frame): void {
    if (this.#said === null) this.#greeted(frame)
    else if (this.#said.as === 'peer') this.#sessions.get(0)?.frame(frame)
    else if (frame.op === op.relay) this.#sessions.get(frame.a)?.frame(relayed(frame))
    else if (frame.op === op.hello)
      this.#enter(frame.a, read(frame) as Entrant, (session) => this.#through(session, frame.a))
    else if (frame.op === op.forget) this.#leave(frame.a)
  }

  #greeted(frame: Frame): void {
    const { hosts, welcome } = this.#house
    const said = read(frame) as Hello
    if (frame.op !== op.hello || (said.as === 'guest' && !hosts) || !this.#events.welcome(said)) {
      this.leave()
      return
    }
    this.#said = said
    // Of another version, too, which learns by it why it has to leave.
    this.#link.send(op.welcome, 0, 0, encode(welcome))
    if (said.as === 'guest') return
    // Its processes have sessions of their own where they use objects; this one ends nothing of theirs.
    const id = `${said.program}!`
    this.#enter(0, [{ id, name: 'another program', pid: said.pid, host: hostname() }, null], (session) => {
      session.connect(this.#link)
    })
  }

  #enter(number: number, [process, about]: Entrant, connect: (session: Session) => void): void {
    const session = this.#house.broker.session(process, { near: false, about })
    this.#sessions.set(number, session)
    connect(session)
  }

  /** What is for that process goes wrapped, with its number. */
  #through(session: Session, number: number): void {
    session.connect({
      send: (kind, a, b, head, tail) => this.#link.send(op.relay, number, 0, relayHead(kind, a, b, head), tail),
    })
  }

  #leave(number: number): void {
    const session = this.#sessions.get(number)
    this.#sessions.delete(number)
    if (session !== undefined) this.#house.broker.end(session)
  }

  #ended(): void {
    for (const number of this.#sessions.keys()) this.#leave(number)
    this.#events.left()
  }
}
