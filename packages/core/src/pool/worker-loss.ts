/** The sentence that says which worker ended, how, and what it was running. */
import type { WorkerLoss } from '../contract/fleet.ts'
import type { TargetRef } from '../contract/target.ts'
import { TimeoutError, WorkerLostError } from '../errors.ts'

export interface LostTasks {
  readonly target: TargetRef
  /** How many tasks the death took, one of which was running. */
  readonly count: number
  /** How many workers have died with this task, this one included. */
  readonly deaths: number
}

/** What tasks reject with whose worker has ended. */
export function lossOf(loss: WorkerLoss, tasks: LostTasks): TimeoutError | WorkerLostError {
  const { pid, host, exitCode, signal, reason, overdue } = loss
  const { target, count, deaths } = tasks
  const task = `${target.module}#${target.export}`
  if (overdue > 0) {
    return new TimeoutError(
      `${task} ran for longer than ${overdue} ms, so its worker process ${pid} on ${host} was ended and replaced`,
      { indeterminate: true },
    )
  }
  const message = [
    `worker process ${pid} on ${host} ${endedHow(loss)} while it ran ${count === 1 ? '' : 'one of '}`,
    count === 1
      ? task
      : `${count} short tasks of ${task} that went together; nobody knows which of them had finished; chunkSize: 1 keeps them apart`,
    deaths > 1 ? `; the task is given up after ${deaths} workers died with it` : '',
  ].join('')
  return new WorkerLostError(message, { pid, host, exitCode, signal, reason, task, indeterminate: true })
}

function endedHow({ exitCode, signal, reason }: WorkerLoss): string {
  if (reason === 'out-of-memory') return `ran out of memory${signal === null ? '' : ` (${signal})`}`
  if (reason === 'host-lost') return 'was lost with its host'
  if (signal !== null) return `was killed by ${signal}`
  return exitCode === null ? 'disappeared' : `exited with code ${exitCode}`
}
