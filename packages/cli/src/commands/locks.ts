/** `skein locks`: who holds, and who waits. */
import type { HolderSnapshot, ObjectSnapshot } from '@skein/core'
import type { Command } from 'commander'
import { print } from '../output/print.ts'
import type { Column } from '../output/table.ts'
import { amongOthers, type PlaceOptions } from '../place.ts'
import { isQueue } from './queues.ts'

/** So many holders of one object are named; a semaphore may have thousands. */
const NAMED = 3

export const lockColumns: readonly Column<ObjectSnapshot>[] = [
  { title: 'KIND', of: ({ kind }) => kind },
  { title: 'NAME', of: ({ name }) => name },
  { title: 'STATE', of: stateOf },
  { title: 'WAITING', of: ({ waiters }) => waiters.length },
  { title: 'HELD BY', of: ({ holders }) => holdersOf(holders) },
]

function stateOf({ kind, state, depth, capacity, holders }: ObjectSnapshot): string {
  if (state !== 'open') return state
  if (kind === 'event') return depth > 0 ? 'set' : 'not set'
  if (kind === 'latch') return `${depth} of ${capacity} left`
  if (kind === 'barrier') return `${depth} of ${capacity} there`
  if (kind === 'condition') return `${depth} to notify`
  if (kind === 'semaphore') return capacity === null ? `${depth} free` : `${depth} of ${capacity} free`
  if (holders.length === 0) return depth > 0 ? 'free' : 'held'
  if (kind !== 'rwlock') return 'held'
  return holders[0]?.side === 'write' ? 'written' : 'read'
}

function holdersOf(holders: readonly HolderSnapshot[]): string {
  const named = holders.slice(0, NAMED).map(({ name, pid, host, count }) => {
    const who = `${name ?? 'main'}@${host ?? '?'}:${pid ?? '?'}`
    return count > 1 ? `${who} (${count})` : who
  })
  const more = holders.length - named.length
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

export function isLock(object: ObjectSnapshot): boolean {
  return !isQueue(object)
}

export function addLocks(program: Command): void {
  program
    .command('locks')
    .description('who holds, and who waits: locks, semaphores, elections, events, barriers and the like')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<PlaceOptions>()
      await amongOthers('locks', options, async (mp) => {
        const { objects } = await mp.inspect()
        const nothing = `No lock is in use in namespace ${mp.namespace}.`
        print({ rows: objects.filter(isLock), columns: lockColumns, nothing }, options.json ?? false)
      })
    })
}
