/**
 * The suite that every adapter passes: the meaning of each noun, once, run against whatever context is given. An adapter's
 * test file calls `conformance` and nothing else. Knows no adapter; what differs between them goes through the options.
 */
import { arraySuite } from './array.ts'
import { badInputSuite } from './bad-input.ts'
import { barrierSuite } from './barrier.ts'
import { closingLocksSuite } from './closing-locks.ts'
import { closingProcessesSuite } from './closing-processes.ts'
import { closingSuite } from './closing.ts'
import { codecSuite } from './codec.ts'
import { counterSuite } from './counter.ts'
import { conditionDeathsSuite } from './condition-deaths.ts'
import { conditionWaitsSuite } from './condition-waits.ts'
import { conditionSuite } from './condition.ts'
import { crashPoolSuite } from './crash-pool.ts'
import { crashSuite } from './crash.ts'
import { dictSuite } from './dict.ts'
import { electionSuite } from './election.ts'
import { eventSuite } from './event.ts'
import { handlesSuite } from './handles.ts'
import { createSuite } from './harness.ts'
import type { ConformanceOptions, MakeContext } from './harness.ts'
import { inspectSuite } from './inspect.ts'
import { latchSuite } from './latch.ts'
import { listSuite } from './list.ts'
import { lockSuite } from './lock.ts'
import { pipeSuite } from './pipe.ts'
import { poolErrorsSuite } from './pool-errors.ts'
import { poolImapSuite } from './pool-imap.ts'
import { poolLimitsSuite } from './pool-limits.ts'
import { poolMapsSuite } from './pool-maps.ts'
import { poolProgressSuite } from './pool-progress.ts'
import { poolResultsSuite } from './pool-results.ts'
import { poolWorkersSuite } from './pool-workers.ts'
import { poolSuite } from './pool.ts'
import { processEndSuite } from './process-end.ts'
import { processLogsSuite } from './process-logs.ts'
import { processOptionsSuite } from './process-options.ts'
import { processRestartSuite } from './process-restart.ts'
import { processSuite } from './process.ts'
import { processesSuite } from './processes.ts'
import { queueCloseSuite } from './queue-close.ts'
import { queueDeliverySuite } from './queue-delivery.ts'
import { joinableQueueSuite } from './queue-joinable.ts'
import { queueManySuite } from './queue-many.ts'
import { queueOptionsSuite } from './queue-options.ts'
import { queueSuite } from './queue.ts'
import { rlockSuite } from './rlock.ts'
import { rwlockSuite } from './rwlock.ts'
import { semaphoreSuite } from './semaphore.ts'
import { sharingSuite } from './sharing.ts'
import { targetsSuite } from './targets.ts'
import { topicSuite } from './topic.ts'
import { valueSuite } from './value.ts'
import { waitSuite } from './wait.ts'
import { describe } from 'vitest'

export type { ConformanceOptions, MakeContext } from './harness.ts'
export { excess, expectNothingLeaked, footprint } from './leaks.ts'
export type { ListHeld } from './leaks.ts'
export { isRunning, processTable, until } from './until.ts'
export type { ProcessRow } from './until.ts'

/** Where processes and pools run, and what goes to them. */
const processSuites = [
  processSuite,
  processEndSuite,
  processOptionsSuite,
  processLogsSuite,
  processRestartSuite,
  processesSuite,
  waitSuite,
  poolSuite,
  poolMapsSuite,
  poolImapSuite,
  poolLimitsSuite,
  poolResultsSuite,
  poolErrorsSuite,
  poolProgressSuite,
  poolWorkersSuite,
  closingProcessesSuite,
  codecSuite,
  targetsSuite,
  crashPoolSuite,
  badInputSuite,
]

/** What one of them at a time holds, by votes of several stores where an adapter has them. */
const lockSuites = [
  lockSuite,
  rlockSuite,
  conditionSuite,
  conditionWaitsSuite,
  conditionDeathsSuite,
  electionSuite,
  closingLocksSuite,
]

/** What else processes share. */
const objectSuites = [
  queueSuite,
  queueDeliverySuite,
  queueCloseSuite,
  queueManySuite,
  queueOptionsSuite,
  joinableQueueSuite,
  topicSuite,
  pipeSuite,
  rwlockSuite,
  semaphoreSuite,
  counterSuite,
  eventSuite,
  barrierSuite,
  valueSuite,
  latchSuite,
  dictSuite,
  listSuite,
  arraySuite,
  inspectSuite,
  handlesSuite,
  sharingSuite,
  closingSuite,
  crashSuite,
]

/**
 * Registers all checks with vitest, under one heading.
 *
 * @param name of the adapter, for people
 * @param makeContext opens a context; called at least once per noun, and each one is closed
 */
export function conformance(name: string, makeContext: MakeContext, options: ConformanceOptions = {}): void {
  describe(name, () => {
    const { nouns = 'all' } = options
    const suites = [
      ...(nouns === 'all' ? processSuites : []),
      ...lockSuites,
      ...(nouns === 'locks' ? [] : objectSuites),
    ]
    for (const register of suites) register(createSuite(makeContext, options))
  })
}
