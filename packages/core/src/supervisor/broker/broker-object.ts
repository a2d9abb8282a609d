/** What every noun's state at the broker has in common. */
import type { HandleKind } from '../../contract/handle.ts'
import type { ObjectSnapshot } from '../../contract/snapshot.ts'
import { ProtocolError, StateError } from '../../errors.ts'
import type { Frame } from '../../wire/frame.ts'
import type { Call, Session } from './session.ts'

/** For other programs: `run` is what they may run for this one, `roll` tells them which processes it has. */
export type ObjectKind = HandleKind | 'fleet' | 'session' | 'inspector' | 'run' | 'roll'

export type Methods = Readonly<Record<string, (call: Call) => void>>

export function describe(kind: string, name: string): string {
  return name.startsWith('~') ? `this ${kind}` : `${kind} "${name}"`
}

export abstract class BrokerObject {
  readonly kind: ObjectKind
  readonly name: string
  /** Ends the object for everybody; set by the broker. */
  remove: ((reason: Error) => void) | null = null
  protected abstract readonly methods: Methods

  constructor(kind: ObjectKind, name: string) {
    this.kind = kind
    this.name = name
  }

  /** For messages. */
  get label(): string {
    return describe(this.kind, this.name)
  }

  call(method: string, call: Call): void {
    if (method === 'destroy') {
      this.#destroy(call)
      return
    }
    // Asked by another program, which learns by the failure that there is no such object.
    if (method === 'known') {
      call.ok()
      return
    }
    const handler = Object.hasOwn(this.methods, method) ? this.methods[method] : undefined
    if (handler === undefined) call.fail(new ProtocolError(`${this.label} has no method ${method}`))
    else handler(call)
  }

  /** Takes away what it keeps elsewhere than here, before it goes; if that fails, it stays. @param by who destroys it */
  protected erase?(by: string): Promise<void>

  #destroy(call: Call): void {
    const { name } = call.session.process
    const go = (): void => {
      call.ok()
      this.remove?.(new StateError(`${this.label} was destroyed by ${name}`))
    }
    if (this.erase === undefined) go()
    else this.erase(name).then(go, (error: unknown) => call.fail(error as Error))
  }

  /** A call that nobody waits for. */
  post(session: Session, _object: number, method: string, args: readonly unknown[]): void {
    throw new ProtocolError(`${this.label} takes no ${method} from ${session.process.name} (${args.length} arguments)`)
  }

  /** A frame of the noun's own. */
  frame(session: Session, frame: Frame): void {
    throw new ProtocolError(`${this.label} takes no frame ${frame.op} from ${session.process.name}`)
  }

  /** Somebody names the object again. @throws ConflictError if with another shape */
  abstract check(spec: unknown): void
  /** Over for good, so that its name may be given to a new object. */
  get finished(): Error | null {
    return null
  }
  /** It takes the place of one of its name that was over. */
  succeed(_before: BrokerObject): void {
    // Most nouns begin anew.
  }
  /** The session uses the object from now on, under this number. */
  join(_session: Session, _number: number): void {
    // Most nouns keep no record of who knows them.
  }
  /** The session has ended: gives back what it held here. */
  abstract leave(session: Session): void
  /**
   * The session has lost what it held, since its process was silent for too long: as `leave`, but what it waits for is kept, out of
   * the line, until `resume` or `leave`.
   */
  suspend(_session: Session): void {
    // Only where holding depends on time.
  }
  /** The process of a suspended session has spoken again: it waits in line again, behind the others. */
  resume(_session: Session): void {
    // As above.
  }
  /** What it looks like to `context.inspect()`; null where nobody holds anything or waits. */
  inspect(): ObjectSnapshot | null {
    return null
  }
  /** The object is gone: who waits is told. */
  abstract end(reason: Error): void
}
