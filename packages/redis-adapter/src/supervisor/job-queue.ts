/** The plain queue of jobs that the placement of processes and chunks is built on. */
import { CapacityError, QueueClosedError } from '@skein/core'
import type { QueueShape } from '@skein/core/adapter'
import { Errands } from './errands.ts'
import { QueueCommands } from './queue-commands.ts'
import { Suspects } from './suspects.ts'
import type { Surround } from './surround.ts'

/** A job as its taker has it. */
export interface Job {
  readonly rid: string
  readonly id: string
  readonly attempt: number
  readonly json: string
}

/** A BullMQ queue of jobs of ours, which nobody but this package's own code puts into. Every request may be sent twice. */
export interface JobQueue {
  /** Never waits for room. @returns BullMQ's id. @throws QueueClosedError, CapacityError */
  put(rid: string, json: string): Promise<string>
  /**
   * The next job, or null. `wait` and `look` stay in line then: ask again with the same rid when woken, and `look` from time to time, which
   * also takes back what programs hold that are gone. @throws QueueClosedError
   */
  fetch(rid: string, mode: 'poll' | 'wait' | 'look'): Promise<Job | null>
  /** Over; with `failed`, kept in BullMQ's failed set with that reason. @returns for each whether it was ours */
  finish(of: readonly Pick<Job, 'rid'>[], failed?: string): Promise<readonly boolean[]>
  /** Back to the front, the last of them foremost; not `counted`, as if it had never been fetched. Also gives up a place in line. */
  giveBack(of: readonly Pick<Job, 'rid'>[], counted: boolean): Promise<readonly boolean[]>
  /** Takes back what dead programs hold. */
  reap(dead: readonly string[]): Promise<number>
  /** Told when something may be there for who waits in line: a message came, or messages may have been missed. */
  onWake(told: () => void): () => void
  /** Deletes the queue with everything in it. */
  obliterate(): Promise<void>
  /** Hears no more messages; what is in Redis stays. */
  stop(): void
}

/** @param key `<kind>:<name>`: the queue's keys are `{<namespace>:<kind>:<name>}:…` */
export function jobQueue(around: Surround, key: string, spec: QueueShape): JobQueue {
  const listeners = new Set<() => void>()
  const wake = (): void => {
    for (const told of listeners) told()
  }
  const commands = new QueueCommands(around, key, spec, wake)
  const errands = new Errands()
  const suspects = new Suspects(around, (dead) => errands.run(() => commands.reap(dead)))
  const stops = [around.store.onConnected(wake), around.wakes.onResubscribed(wake), () => errands.end()]
  const closed = (): QueueClosedError => new QueueClosedError(`queue "${key}" is closed`)
  const rids = (of: readonly Pick<Job, 'rid'>[]): string[] => of.map(({ rid }) => rid)
  return {
    put: async (rid, json) => {
      const answer = await commands.put(rid, json, 'poll')
      if (answer.kind === 'done') return answer.id
      throw answer.kind === 'closed' ? closed() : new CapacityError(`queue "${key}" is full`)
    },
    fetch: async (rid, mode) => {
      const answer = await commands.fetch(rid, mode)
      if (answer.kind === 'closed') throw closed()
      if (answer.kind !== 'job') {
        if (mode === 'look') suspects.look(answer.others)
        return null
      }
      const { id, attempt, data } = answer.job
      return { rid, id, attempt, json: data.toString() }
    },
    finish: (of, failed) => commands.finish(rids(of), failed),
    giveBack: (of, counted) => commands.back(rids(of), counted),
    reap: (dead) => commands.reap(dead),
    onWake: (told) => {
      listeners.add(told)
      return () => listeners.delete(told)
    },
    obliterate: () => commands.destroy(),
    stop: () => {
      commands.stop()
      for (const stop of stops) stop()
    },
  }
}
