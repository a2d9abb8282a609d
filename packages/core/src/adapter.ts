/** For those who write an adapter: the contract, and the parts of core that every adapter stands on. */
export type * from './contract/adapter.ts'
export type * from './contract/adapter-module.ts'
export type { ConnectOptions } from './contract/context.ts'
export { type Handle, type HandleKind, type HandleRef, handleRef } from './contract/handle.ts'
export { decode, decodeJson, encode, encodeJson, encodeThrown } from './codec/index.ts'
export type * from './contract/fleet.ts'
export type * from './contract/snapshot.ts'
export { type Store, storeParts, type StoreParts } from './contract/store.ts'
export { readSentinelUrl, type SentinelUrl } from './sentinel-url.ts'
export { OutcomeWriter } from './pool/outcomes.ts'
export { consume } from './queue/consume.ts'
export { iterate } from './queue/iterate.ts'

// A process's half: handles on the supervisor of its program.
export { BrokerClient, type ObjectListener } from './client/broker-client.ts'
export type { CallOptions } from './client/broker-requests.ts'
export { openForeign } from './client/foreign.ts'
export { type Ground, LinkedAdapter } from './client/linked-adapter.ts'
export { SECRET, SECRET_FILE, surroundings } from './client/surroundings.ts'
export { groundNow, type Plan, supervisorGround } from './client/supervisor-ground.ts'
export { forever, type Tenure } from './client/tenure.ts'

// The supervisor thread's half: the state behind the handles.
export type { Backend, Opened, Placed, Placement, SupervisorHost } from './supervisor/backend.ts'
export type { Boot, Nature, ProcessInfo, Role, Surroundings } from './supervisor/boot.ts'
export type { EncodedExit, StartSpec } from './supervisor/children.ts'
export type { TargetPolicy } from './target/index.ts'
export type { Child } from './supervisor/child.ts'
export { reportDefect } from './supervisor/defect.ts'
export { FifoStock } from './supervisor/fifo-stock.ts'
export { supervise, threadStart } from './supervisor/supervise.ts'
export { Broker, type Foreign, type ObjectFactory } from './supervisor/broker/broker.ts'
export {
  BrokerObject,
  describe as describeObject,
  type Methods,
  type ObjectKind,
} from './supervisor/broker/broker-object.ts'
export type { FleetStats } from './contract/fleet.ts'
export { EndWatch } from './supervisor/broker/end-watch.ts'
export { Listeners } from './supervisor/broker/listeners.ts'
export { type QueueShape, shapeConflict } from './supervisor/broker/queue-shape.ts'
export {
  conditionSnapshot,
  type PermitsParty,
  permitsSnapshot,
  queueSnapshot,
  sharedSnapshot,
  topicSnapshot,
  waitSnapshot,
} from './supervisor/broker/snapshots.ts'
export { FleetObject, type FleetObjectSpec } from './supervisor/broker/fleet.ts'
export { ProcessObject, type ProcessNews, type ProcessObjectSpec } from './supervisor/broker/process.ts'
export { Call, Session, type SessionHost } from './supervisor/broker/session.ts'
export { type Launch, type Running, Starter, type StarterEvents } from './supervisor/broker/starter.ts'

// What both halves speak.
export { AheadBoard, off } from './wire/ahead-board.ts'
export * from './wire/chunk-frames.ts'
export { type Frame, type Op, op } from './wire/frame.ts'
export { KeptFrame, relayed, relayHead } from './wire/kept-frame.ts'
export { Link, type LinkEvents } from './wire/link.ts'
export { type End, inboxName } from './wire/pipe-ends.ts'
export { busy, PAGE_BYTES, PAGE_ITEMS, TURN } from './wire/shared.ts'
export { acquireArgs, acquireHead, numberHead } from './wire/number-frames.ts'
export { soon } from './util/soon.ts'
export { PortLink } from './wire/port-link.ts'
export { PROTOCOL, VERSION } from './wire/protocol.ts'
export type { SlotHandle, Until } from './wire/tenure-slot.ts'

export { Alarm } from './util/alarm.ts'
export { monotonic, wallMicroseconds } from './util/clock.ts'
export { type Deferred, deferred } from './util/deferred.ts'
export { describe } from './util/describe.ts'
export { Fifo } from './util/fifo.ts'
export { checkName } from './util/names.ts'
export { checkInteger, checkOptions } from './util/options.ts'
export { checkWait, isPoll, timedOut, waitFor, watchWait } from './util/wait.ts'
