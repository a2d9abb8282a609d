/**
 * Every error that Skein throws, in one closed table.
 *
 * A class has a stable `code`; a message says what happened, what was got, what was expected and what to do.
 * `instanceof` is answered by the code on the prototype, not by the constructor's identity, so it also holds
 * between two copies of this package and for errors that crossed a process.
 */

const CODE = Symbol.for('skein.error.code')

/** Facts that a program may act on; all optional. */
export interface ErrorFacts {
  cause?: unknown
  /** The same call may succeed when it is made again. */
  retryable?: boolean
  /** Nobody knows whether the call took effect. */
  indeterminate?: boolean
}

/** Who died, for the errors that report a death. */
export interface LossFacts extends ErrorFacts {
  pid?: number | null
  host?: string | null
  signal?: NodeJS.Signals | null
  exitCode?: number | null
  /** As in an `ExitStatus`: `out-of-memory`, `exited`, …. */
  reason?: string | null
  /** What was being run, as `module#export`. */
  task?: string | null
}

function sharesCode(type: { readonly prototype: object }, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (!Object.hasOwn(type.prototype, CODE)) return Object.prototype.isPrototypeOf.call(type.prototype, value)
  const code: unknown = Reflect.get(type.prototype, CODE)
  for (let link: unknown = value; typeof link === 'object' && link !== null; link = Object.getPrototypeOf(link)) {
    if (Object.hasOwn(link, CODE) && Reflect.get(link, CODE) === code) return true
  }
  return false
}

/** The base of all errors below. */
export class SkeinError extends Error {
  /** `ERR_SKEIN_…`, stable between versions. */
  declare readonly code: string
  readonly retryable: boolean
  readonly indeterminate: boolean

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, 'cause' in facts ? { cause: facts.cause } : undefined)
    this.retryable = facts.retryable ?? false
    this.indeterminate = facts.indeterminate ?? false
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return sharesCode(this, value)
  }
}

/** An argument or option is of the wrong type, out of range or unknown. */
export class ArgumentError extends SkeinError {}
/** A wait ran out before what it waited for came. Nothing was taken. */
export class TimeoutError extends SkeinError {}
/** The call does not fit the object's present state (`join()` before `start()`, a second `start()`). */
export class StateError extends SkeinError {}
/** The same name and kind exists with another shape, such as another number of permits. */
export class ConflictError extends SkeinError {}

/** The object was closed. */
export class ClosedError extends SkeinError {}
/** The queue was closed: no more puts, and nothing is left to take. */
export class QueueClosedError extends ClosedError {}
/** The pool takes no more tasks. */
export class PoolClosedError extends ClosedError {}

/** A value cannot cross processes; the message has the path to it. */
export class EncodeError extends SkeinError {}

/** The target names no exported function on the receiving side. */
export class TargetNotFoundError extends SkeinError {}
/** The receiving side has other code under the same name. */
export class TargetMismatchError extends SkeinError {}
/** A process was started while a target's module was still loading: the `isMainProcess` guard is missing. */
export class BootstrapError extends SkeinError {}
/** A process could not be started. */
export class SpawnError extends SkeinError {}
/** Workers or processes ended again and again before they could do anything. */
export class CrashLoopError extends SkeinError {}

/** The caller does not hold what it wanted to release. */
export class NotHeldError extends SkeinError {}
/** A lease or a delivery is no longer the caller's. */
export class LeaseLostError extends SkeinError {}
/** The barrier was broken by a dead, late or leaving party. */
export class BrokenBarrierError extends SkeinError {}
/** The other end of the pipe is closed and everything it sent was received. */
export class EndOfStreamError extends SkeinError {}
/** The other end of the pipe is closed, so nothing can be sent to it. */
export class BrokenPipeError extends SkeinError {}
/** The pool was terminated before this result was there. */
export class PoolTerminatedError extends SkeinError {}

function keepLoss(error: Error & { readonly [K in keyof LossFacts]?: LossFacts[K] }, facts: LossFacts): void {
  const { pid = null, host = null, signal = null, exitCode = null, reason = null, task = null } = facts
  Object.assign(error, { pid, host, signal, exitCode, reason, task })
}

/** The process that ran the task died. */
export class WorkerLostError extends SkeinError {
  declare readonly pid: number | null
  declare readonly host: string | null
  declare readonly signal: NodeJS.Signals | null
  declare readonly exitCode: number | null
  declare readonly reason: string | null
  declare readonly task: string | null
  constructor(message: string, facts: LossFacts = {}) {
    super(message, facts)
    keepLoss(this, facts)
  }
}

/** The machine that ran the process is gone. */
export class HostLostError extends SkeinError {
  declare readonly pid: number | null
  declare readonly host: string | null
  declare readonly signal: NodeJS.Signals | null
  declare readonly exitCode: number | null
  declare readonly reason: string | null
  declare readonly task: string | null
  constructor(message: string, facts: LossFacts = {}) {
    super(message, facts)
    keepLoss(this, facts)
  }
}

/** No program that serves has taken the work in time; the message says why each has not. */
export class NoHostError extends TimeoutError {}

/** The connection to the broker or store is gone or cannot be made. */
export class ConnectionError extends SkeinError {}
/** The server refused the credentials. */
export class AuthenticationError extends ConnectionError {}
/** No secure connection could be made. */
export class TlsError extends ConnectionError {}
/** The other side does not speak the expected protocol. */
export class ProtocolError extends ConnectionError {}

/** Fewer masters than a majority agreed. */
export class QuorumError extends SkeinError {}
/** The store is full, or the value is larger than it may be. */
export class CapacityError extends SkeinError {}
/** A handle of one machine's local context was used where only a shared one can be. */
export class ScopeError extends SkeinError {}
/** This platform or adapter cannot do what was asked. */
export class NotSupportedError extends SkeinError {}

/** An error of a class that this process does not know; `name` is the original one's. */
export class RemoteError extends SkeinError {}

/** An error class of the table, as the codec needs it: never called, only its prototype is used. */
export type SkeinErrorClass = { readonly prototype: SkeinError; readonly name: string }

function entry(type: SkeinErrorClass, code: string): readonly [string, SkeinErrorClass] {
  const value = `ERR_SKEIN_${code}`
  Object.defineProperty(type.prototype, CODE, { value })
  Object.defineProperty(type.prototype, 'code', { value, configurable: true })
  Object.defineProperty(type.prototype, 'name', { value: type.name, configurable: true, writable: true })
  return [type.name, type]
}

/** Class name to class. Spelled out, so that a minifier cannot change a code or a name without being noticed. */
export const errorClasses: ReadonlyMap<string, SkeinErrorClass> = new Map([
  entry(SkeinError, 'ERROR'),
  entry(ArgumentError, 'ARGUMENT'),
  entry(TimeoutError, 'TIMEOUT'),
  entry(StateError, 'STATE'),
  entry(ConflictError, 'CONFLICT'),
  entry(ClosedError, 'CLOSED'),
  entry(QueueClosedError, 'QUEUE_CLOSED'),
  entry(PoolClosedError, 'POOL_CLOSED'),
  entry(EncodeError, 'ENCODE'),
  entry(TargetNotFoundError, 'TARGET_NOT_FOUND'),
  entry(TargetMismatchError, 'TARGET_MISMATCH'),
  entry(BootstrapError, 'BOOTSTRAP'),
  entry(SpawnError, 'SPAWN'),
  entry(CrashLoopError, 'CRASH_LOOP'),
  entry(NotHeldError, 'NOT_HELD'),
  entry(LeaseLostError, 'LEASE_LOST'),
  entry(BrokenBarrierError, 'BROKEN_BARRIER'),
  entry(EndOfStreamError, 'END_OF_STREAM'),
  entry(BrokenPipeError, 'BROKEN_PIPE'),
  entry(PoolTerminatedError, 'POOL_TERMINATED'),
  entry(WorkerLostError, 'WORKER_LOST'),
  entry(HostLostError, 'HOST_LOST'),
  entry(NoHostError, 'NO_HOST'),
  entry(ConnectionError, 'CONNECTION'),
  entry(AuthenticationError, 'AUTHENTICATION'),
  entry(TlsError, 'TLS'),
  entry(ProtocolError, 'PROTOCOL'),
  entry(QuorumError, 'QUORUM'),
  entry(CapacityError, 'CAPACITY'),
  entry(ScopeError, 'SCOPE'),
  entry(NotSupportedError, 'NOT_SUPPORTED'),
  entry(RemoteError, 'REMOTE'),
])
