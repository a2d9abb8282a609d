/**
 * The broker: owner of all state of a local context. It finds objects by kind and name and hands calls to them; everything
 * a noun means is in the noun's own class. Lives in the supervisor thread, where no user code runs.
 */
import { StateError } from '../../errors.ts'
import type { AheadBoard } from '../../wire/ahead-board.ts'
import type { BrokerObject } from './broker-object.ts'
import { describe } from './broker-object.ts'
import type { ProcessInfo } from '../boot.ts'
import { Session, type SessionHost } from './session.ts'

/** Makes a noun's state from what the client said of it. */
export type ObjectFactory = (name: string, spec: never, session: Session) => BrokerObject

/** Who is told of sessions that come and go. */
export interface SessionWatch {
  opened?(session: Session): void
  ended?(session: Session): void
}

/** How many ended processes are remembered, for the message to who comes too late to their anonymous objects. */
const REMEMBERED = 10_000

/** The process id inside an anonymous name, `~<process>-<n>`. */
function creatorOf(name: string): string {
  return name.slice(1, name.lastIndexOf('-'))
}

export class Broker implements SessionHost {
  readonly #kinds: Readonly<Record<string, ObjectFactory>>
  readonly #watch: SessionWatch
  readonly #objects = new Map<string, BrokerObject>()
  readonly #sessions = new Set<Session>()
  readonly #ended = new Map<string, ProcessInfo>()

  constructor(kinds: Readonly<Record<string, ObjectFactory>>, watch: SessionWatch = {}) {
    this.#kinds = kinds
    this.#watch = watch
  }

  sessions(): Iterable<Session> {
    return this.#sessions
  }

  session(process: ProcessInfo, board: AheadBoard | null = null): Session {
    const session = new Session(process, this, board)
    this.#sessions.add(session)
    this.#watch.opened?.(session)
    return session
  }

  /** Ends a session and the anonymous objects that its process made. */
  end(session: Session): void {
    if (!this.#sessions.delete(session)) return
    session.end()
    const { id, name, pid } = session.process
    this.#ended.set(id, session.process)
    if (this.#ended.size > REMEMBERED) this.#ended.delete(this.#ended.keys().next().value as string)
    for (const object of this.#objects.values()) {
      if (object.name.startsWith('~') && creatorOf(object.name) === id) {
        object.remove?.(new StateError(`${object.label} ended with its creator ${name} (pid ${pid})`))
      }
    }
    this.#watch.ended?.(session)
  }

  open(session: Session, kind: string, name: string, spec: unknown, attach: boolean): BrokerObject {
    const known = this.#objects.get(`${kind} ${name}`)
    if (known !== undefined) {
      const finished = attach ? null : known.finished
      if (finished === null) {
        if (spec !== null) known.check(spec)
        return known
      }
      known.remove?.(finished)
    }
    if (attach && kind === 'process')
      throw new StateError(`process ${name} ended long ago, or with its creator; nothing is known of it`)
    if (attach && name.startsWith('~')) throw this.#tooLate(kind, name)
    const make = Object.hasOwn(this.#kinds, kind) ? this.#kinds[kind] : undefined
    if (make === undefined) throw new StateError(`the broker knows no ${kind}`)
    return this.add(make(name, spec as never, session))
  }

  /** Makes an object known by its name until it is removed. */
  add<T extends BrokerObject>(object: T): T {
    const key = `${object.kind} ${object.name}`
    this.#objects.set(key, object)
    object.remove = (reason) => {
      if (this.#objects.get(key) !== object) return
      this.#objects.delete(key)
      object.end(reason)
      for (const one of this.#sessions) one.forget(object, reason)
    }
    return object
  }

  #tooLate(kind: string, name: string): StateError {
    const creator = this.#ended.get(creatorOf(name))
    const who = creator === undefined ? 'its creator' : `its creator ${creator.name} (pid ${creator.pid})`
    return new StateError(
      `${describe(kind, name)} has no name, so it ended when ${who} closed its context or ended; give it a name to let it live on`,
    )
  }
}
