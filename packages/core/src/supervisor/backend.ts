/** What an adapter brings into the supervisor thread: the state behind the nouns. Sessions, processes and fleets are the same for all. */
import type { Needs } from '../contract/adapter.ts'
import type { ConnectSettings } from '../contract/adapter-module.ts'
import type { Until } from '../wire/tenure-slot.ts'
import type { HostInfo } from '../contract/host.ts'
import type { ProcessInfo } from '../contract/process.ts'
import type { ObjectSnapshot } from '../contract/snapshot.ts'
import type { StartSpec } from './children.ts'
import type { Broker, Foreign, ObjectFactory } from './broker/broker.ts'
import type { BrokerObject } from './broker/broker-object.ts'
import type { Session } from './broker/session.ts'
import type { Launch, Starter, StarterEvents } from './broker/starter.ts'

/** A start that was asked for. */
export interface Placed {
  /** While it has not been launched: it never will be, and its events hear of an end. Later it does nothing. */
  cancel(): void
}

/** Decides when and where a process is started. */
export interface Placement {
  /**
   * Never throws; what goes wrong is told by `events.ended`.
   *
   * @param spec without prototype tricks: plain data and bytes
   * @param launch starts it in this program, at once
   */
  start(spec: StartSpec, events: StarterEvents, launch: Launch): Placed
  /** Why each host has not taken such a start. `null`, and default: it does not wait for one. */
  refusals?(needs: Needs | null): Promise<readonly string[] | null>
}

/** What a backend knows of the thread that it runs in. */
export interface SupervisorHost {
  /** The id of the main process. */
  readonly program: string
  readonly namespace: string
  readonly settings: ConnectSettings
  /** Those of the main program and of all children that live. */
  sessions(): Iterable<Session>
  /** The store keeps what this program holds until then, at least. Extends the tenure of every process that lives and is not stopped. */
  confirm(until: Until): void
  /**
   * The store has let go of what this program holds, or is about to: ends the tenure of every process, before anything else is done about
   * it. What waits goes on waiting; the backend tells its objects itself.
   */
  lose(reason: Error): void
  /**
   * As `confirm` and `lose`, for the locks of one process where `nature.quorum` says that a majority of stores keeps them: another
   * tenure, which the loss of the program's session does not end. `null`: it holds none.
   */
  confirmLocks(session: Session, until: Until | null): void
  loseLocks(session: Session, reason: Error): void
  /** The connection is interrupted, or there again: what `context.state` says. */
  interrupted(on: boolean): void
  /** Others name the store so in references: handles that they send are understood from now on. */
  alias(scope: string): void
}

/** What opening has shown. */
export interface Opened {
  /** The store's own id, as references name it. */
  readonly scope: string
}

export interface Backend {
  /** Makes the nouns, all but process, fleet and session: these are there already, and may be made otherwise. */
  kinds(broker: Broker, starter: Starter): Readonly<Record<string, ObjectFactory>>
  /** Told first of all; no client is heard before it resolves. What it rejects with is what `connect()` rejects with. */
  open?(host: SupervisorHost): Promise<Opened | undefined>
  /** Default: every process is launched at once. */
  readonly placement?: Placement | undefined
  /**
   * An object that another program keeps, for who was sent a handle of it. Rejects if it is gone. `null`: there are no other programs.
   */
  elsewhere?(of: Foreign): Promise<BrokerObject> | null
  /** What all objects of the namespace look like. Default: those of this program's broker. */
  inspect?(): Promise<readonly ObjectSnapshot[]>
  /** The processes that run in all programs of the namespace. Default: those of this program's broker. */
  processes?(): Promise<readonly ProcessInfo[]>
  /** The programs that run processes for others. Default: this one, which runs its own. */
  hosts?(): Promise<readonly HostInfo[]>
  /** A process has come. */
  opened?(session: Session): void
  /** A process has ended, and each object has been told to take back what it held. */
  ended?(session: Session): void
  /** Takes nothing more that others have to run; resolves when nothing of theirs runs here any more. */
  drain?(): Promise<void>
  /** The program ends, with all that it runs: takes nothing more that others have to run. */
  stopping?(): void
  /** Nothing runs any more: gives back what is left. The thread ends when it settles. */
  close?(): Promise<void>
}
