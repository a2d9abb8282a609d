/** Skein: Python's `multiprocessing` for TypeScript. */
export { connect } from './connect.ts'
export { cpuCount } from './context.ts'
export { currentProcess, isMainProcess } from './current-process.ts'
export { bind, targetsOf } from './target/index.ts'
export { task, type TaskDefinition } from './task.ts'
export { type ErrorClass, registerError } from './codec/index.ts'
export * from './errors.ts'
export type { Store } from './contract/store.ts'
export type {
  ConnectOptions,
  Context,
  CurrentProcess,
  NameOptions,
  ServeOptions,
  Waitable,
} from './contract/context.ts'
export type { Barrier, BarrierOptions } from './contract/barrier.ts'
export type { Election } from './contract/election.ts'
export type { Event } from './contract/event.ts'
export type { Condition, ConditionOptions, Falsy } from './contract/condition.ts'
export type { Handle, HandleKind, HandleRef } from './contract/handle.ts'
export type { HostInfo, Labels } from './contract/host.ts'
export type { Latch } from './contract/latch.ts'
export type { HolderInfo, Lease, Lock, RLock } from './contract/lock.ts'
export type { Connection, PipeOptions } from './contract/pipe.ts'
export type {
  ApplyAsyncOptions,
  AsyncResult,
  Callbacks,
  ImapOptions,
  MapAsyncOptions,
  MapOptions,
  Pool,
  PoolOptions,
  PoolStats,
  PoolWorker,
  Progress,
  StreamProgress,
  TaskOptions,
} from './contract/pool.ts'
export type {
  ExitReason,
  ExitStatus,
  LogLine,
  LogsOptions,
  Process,
  ProcessInfo,
  ProcessOptions,
  ProcessStatus,
  RestartOptions,
  Stdio,
} from './contract/process.ts'
export type {
  Backoff,
  ConsumeOptions,
  DeadLetter,
  DeadLetters,
  Delivery,
  JoinableQueue,
  NackOptions,
  PutOptions,
  Queue,
  QueueOptions,
  SimpleQueue,
} from './contract/queue.ts'
export type { Topic } from './contract/topic.ts'
export type { RWLock } from './contract/rwlock.ts'
export type { DictKey, SharedArray, SharedDict, SharedList, Value } from './contract/state.ts'
export type { PermitOptions, Semaphore, SemaphoreOptions } from './contract/semaphore.ts'
export type { HolderSnapshot, ObjectSnapshot, PartySnapshot, Snapshot, WaiterSnapshot } from './contract/snapshot.ts'
export type { Target, TargetRef, Targets } from './contract/target.ts'
export type { WaitOptions } from './contract/wait.ts'
