/**
 * The broker: owner of all state of a local context. It finds objects by kind and name and hands calls to them; everything
 * a noun means is in the noun's own class. Lives in the supervisor thread, where no user code runs.
 */
import { StateError } from '../../errors.ts'
import type { ObjectSnapshot } from '../../contract/snapshot.ts'
import type { BrokerObject } from './broker-object.ts'
import { describe } from './broker-object.ts'
import type { ProcessInfo } from '../boot.ts'
import type { ProcessInfo as Running } from '../../contract/process.ts'
import { type Manner, Session, type SessionHost } from './session.ts'

/** Makes a noun's state from what the client said of it. @param attach it was named elsewhere before */
export type ObjectFactory = (name: string, spec: never, session: Session, attach: boolean) => BrokerObject

/** An object that another program keeps. */
export interface Foreign {
  readonly program: string
  readonly kind: string
  readonly name: string
  /** What stands for it here, where its state is in a store that both reach; the broker knows it from then on. */
  readonly make: () => BrokerObject
  /** Makes an object of another class known instead. */
  readonly add: <T extends BrokerObject>(object: T) => T
}

/** The program around a broker: who it is, who is told of sessions that come and go, and the way to what others keep. */
export interface BrokerHome {
  /** The id of its main process. */
  readonly program?: string
  opened?(session: Session): void
  ended?(session: Session): void
  /** Rejects if it is gone there. `null`: there are no other programs. */
  elsewhere?(of: Foreign): Promise<BrokerObject> | null
}

/** What a client says of an object that it names. */
export interface Opening {
  readonly kind: string
  readonly name: string
  /** `null`: nothing that could differ. */
  readonly spec: unknown
  readonly attach: boolean
  readonly program?: string | undefined
}

/** What other programs have nothing to do with. */
const own: ReadonlySet<string> = new Set(['session', 'inspector', 'fleet'])

/** How many ended processes are remembered, for the message to who comes too late to their anonymous objects. */
const REMEMBERED = 10_000

/** The process id inside an anonymous name, `~<process>-<n>`. */
function creatorOf(name: string): string {
  return name.slice(1, name.lastIndexOf('-'))
}

export class Broker implements SessionHost {
  readonly #kinds: Readonly<Record<string, ObjectFactory>>
  readonly #home: BrokerHome
  readonly #objects = new Map<string, BrokerObject>()
  readonly #sessions = new Set<Session>()
  /** Of each, for people, who it was. */
  readonly #ended = new Map<string, string>()
  /** Asked for and not known to be there yet. */
  readonly #foreign = new Map<string, Promise<BrokerObject>>()

  constructor(kinds: Readonly<Record<string, ObjectFactory>>, home: BrokerHome = {}) {
    this.#kinds = kinds
    this.#home = home
  }

  sessions(): Iterable<Session> {
    return this.#sessions
  }

  session(process: ProcessInfo, manner?: Manner): Session {
    return this.#begin(new Session(process, this, manner))
  }

  /** Another program: it uses what is here, and makes nothing. */
  guest(process: ProcessInfo): Session {
    const open = (_session: Session, { kind, name }: Opening): BrokerObject => {
      const known = own.has(kind) ? undefined : this.#objects.get(`${kind} ${name}`)
      if (known === undefined) throw this.#absent(kind, name)
      return known
    }
    return this.#begin(new Session(process, { open }))
  }

  #begin(session: Session): Session {
    this.#sessions.add(session)
    this.#home.opened?.(session)
    return session
  }

  /** The processes that have sessions here. */
  processes(): Running[] {
    return [...this.#sessions].flatMap(({ process, about }) => (about === null ? [] : { ...process, ...about }))
  }

  /** What the objects look like whose state is here. */
  snapshot(): ObjectSnapshot[] {
    return [...this.#objects.values()].flatMap((object) => object.inspect() ?? [])
  }

  /** Ends a session and the anonymous objects that its process made. */
  end(session: Session): void {
    if (!this.#sessions.delete(session)) return
    session.end()
    const { id, name, pid } = session.process
    const who = `${name} (pid ${pid})`
    this.#ended.set(id, who)
    if (this.#ended.size > REMEMBERED) this.#ended.delete(this.#ended.keys().next().value as string)
    for (const object of this.#objects.values()) {
      if (object.name.startsWith('~') && creatorOf(object.name) === id) {
        object.remove?.(new StateError(`${object.label} ended with its creator ${who}`))
      }
    }
    this.#home.ended?.(session)
  }

  /**
   * The object of that kind and name, made if there is none.
   *
   * @param attach it was made before: one without a name is not made again
   * @param program which program keeps it; others know of it by asking there
   */
  open(session: Session, { kind, name, spec, attach, program }: Opening): BrokerObject | Promise<BrokerObject> {
    const key = `${kind} ${name}`
    const known = this.#objects.get(key)
    if (known !== undefined) {
      const finished = attach ? null : known.finished
      if (finished === null) {
        if (spec !== null) known.check(spec)
        return known
      }
      known.remove?.(finished)
      const next = this.#make(session, { kind, name, spec, attach })
      next.succeed(known)
      return next
    }
    const foreign = attach && program !== undefined && program !== this.#home.program
    if (foreign) {
      const asked = this.#foreign.get(key) ?? this.#ask(session, program, { kind, name, spec, attach })
      if (asked !== null) return asked
    }
    if (attach && (kind === 'process' || name.startsWith('~'))) throw this.#absent(kind, name)
    return this.#make(session, { kind, name, spec, attach })
  }

  /** What is known under that name now. */
  find(kind: string, name: string): BrokerObject | undefined {
    return this.#objects.get(`${kind} ${name}`)
  }

  #make(session: Session, { kind, name, spec, attach }: Opening): BrokerObject {
    const make = Object.hasOwn(this.#kinds, kind) ? this.#kinds[kind] : undefined
    if (make === undefined) throw new StateError(`the broker knows no ${kind}`)
    return this.add(make(name, spec as never, session, attach))
  }

  #ask(session: Session, program: string, of: Opening): Promise<BrokerObject> | null {
    const { kind, name } = of
    const key = `${kind} ${name}`
    const asked = this.#home.elsewhere?.({
      program,
      kind,
      name,
      // A pipe, which is asked for first, makes its two directions itself.
      make: () => this.#objects.get(key) ?? this.#make(session, of),
      add: (object) => this.add(object),
    })
    if (asked == null) return null
    this.#foreign.set(key, asked)
    const over = (): void => {
      this.#foreign.delete(key)
    }
    asked.then(over, over)
    return asked
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

  #absent(kind: string, name: string): StateError {
    if (kind === 'process')
      return new StateError(`process ${name} ended long ago, or with its creator; nothing is known of it`)
    if (!name.startsWith('~')) return new StateError(`${describe(kind, name)} is not kept by this program`)
    const who = this.#ended.get(creatorOf(name)) ?? ''
    return new StateError(
      `${describe(kind, name)} has no name, so it ended when its creator ${who}${who === '' ? '' : ' '}closed its context or ended; give it a name to let it live on`,
    )
  }
}
