/**
 * Value, dict, list and array at the broker: who may write, and whether there is anything. What is kept, and each noun's own
 * operations, are in `cells.ts` and `items.ts`; a call is done before the next one is looked at, so each is one step for everybody.
 */
import type { ObjectSnapshot } from '../contract/snapshot.ts'
import { ConflictError, ProtocolError, StateError } from '../errors.ts'
import { wallMicroseconds } from '../util/clock.ts'
import { BrokerObject, type Methods, type ObjectKind } from '../supervisor/broker/broker-object.ts'
import type { Call, Session } from '../supervisor/broker/session.ts'
import { sharedSnapshot } from '../supervisor/broker/snapshots.ts'
import type { Frame } from '../wire/frame.ts'
import { busy, TURN } from '../wire/shared.ts'
import { Permits } from './permits.ts'

export type Operations = Readonly<Record<string, (args: readonly unknown[]) => unknown>>

export interface Content {
  /** What the creator gave. */
  init(one: Uint8Array | null, items: readonly Uint8Array[] | null, length: number | undefined): void
  /** How many entries or items it has. */
  readonly size: number
  readonly reads: Operations
  readonly writes: Operations
}

/** Empty but for an array. */
export interface SharedSpec {
  readonly length?: number
}

export class SharedObject extends BrokerObject {
  readonly #spec: SharedSpec
  readonly #content: Content
  readonly #line: Permits
  #made = false

  constructor(kind: ObjectKind, name: string, spec: SharedSpec, content: Content) {
    super(kind, name)
    this.#spec = spec
    this.#content = content
    this.#line = new Permits(kind, name, { permits: 1 })
  }

  protected override readonly methods: Methods = {
    read: (call) => {
      const [operation, ...args] = call.args as [string, ...unknown[]]
      this.#run(call, this.#content.reads, operation, args)
    },
    write: (call) => {
      const [turn, operation, ...args] = call.args as [number, string, ...unknown[]]
      if (this.#othersTurn(turn)) call.ok(busy)
      else this.#run(call, this.#content.writes, operation, args)
    },
    acquire: (call) => this.#line.call('acquire', call),
  }

  override frame(session: Session, frame: Frame): void {
    this.#line.frame(session, frame)
  }

  override post(session: Session, object: number, method: string, args: readonly unknown[]): void {
    if (method !== 'init') super.post(session, object, method, args)
    else if (!this.#made) {
      this.#made = true
      this.#content.init(...(args as [Uint8Array | null, readonly Uint8Array[] | null]), this.#spec.length)
    }
  }

  override check(spec: unknown): void {
    const { length } = spec as SharedSpec
    if (length !== this.#spec.length) throw lengthConflict(this.label, this.#spec.length, length)
  }

  override leave(session: Session): void {
    this.#line.leave(session)
  }

  override inspect(): ObjectSnapshot | null {
    return this.#made ? sharedSnapshot(this, this.#spec.length ?? this.#content.size, this.#line.view()) : null
  }

  override end(reason: Error): void {
    this.#line.end(reason)
  }

  #othersTurn(turn: number): boolean {
    const { holding } = this.#line
    return holding !== null && holding !== turn && wallMicroseconds() - holding < TURN * 1_000
  }

  #run(call: Call, operations: Operations, name: string, args: readonly unknown[]): void {
    if (!this.#made) {
      // Opened through a handle that is older than the end of what it stood for.
      const gone = new StateError(`${this.label} is gone; it was destroyed, make it anew`)
      call.fail(gone)
      this.remove?.(gone)
      return
    }
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined
    if (operation === undefined) call.fail(new ProtocolError(`${this.label} has no operation ${name}`))
    else call.ok(operation(args))
  }
}

function lengthConflict(label: string, there: unknown, asked: unknown): ConflictError {
  return new ConflictError(
    `${label} exists with ${String(there)} items, ${String(asked)} were asked for; use one length or another name`,
  )
}
