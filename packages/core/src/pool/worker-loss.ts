/** The sentence that says which worker died, how, and what it was running. */
import type { TargetRef } from '../contract/target.ts'
import { WorkerLostError } from '../errors.ts'
import type { WorkerLoss } from '../contract/fleet.ts'

export interface LostTasks {
  readonly target: TargetRef
  /** How many tasks the death took, one of which was running. */
  readonly count: number
  /** How many workers have died with this task, this one included. */
  readonly deaths: number
}

export function workerLost(loss: WorkerLoss, tasks: LostTasks): WorkerLostError {
  const { pid, host, exitCode, signal } = loss
  const { target, count, deaths } = tasks
  const task = `${target.module}#${target.export}`
  const message = [
    `worker process ${pid} on ${host} ${endedHow(exitCode, signal)} while it ran ${count === 1 ? '' : 'one of '}`,
    count === 1
      ? task
      : `${count} short tasks of ${task} that went together; nobody knows which of them had finished; chunkSize: 1 keeps them apart`,
    deaths > 1 ? `; the task is given up after ${deaths} workers died with it` : '',
  ].join('')
  return new WorkerLostError(message, { pid, host, exitCode, signal, task, indeterminate: true })
}

function endedHow(exitCode: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `was killed by ${signal}`
  return exitCode === null ? 'disappeared' : `exited with code ${exitCode}`
}
