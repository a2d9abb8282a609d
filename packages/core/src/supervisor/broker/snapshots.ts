/** What objects of each kind look like, from what an adapter knows of them: the same on every adapter. */
import type { ObjectSnapshot, PartySnapshot } from '../../contract/snapshot.ts'
import type { Session } from './session.ts'

/** Who holds permits, or waits for them. */
export interface PermitsParty {
  readonly party: PartySnapshot
  readonly permits: number
}

export function partyOf({ process: { id, name, pid, host } }: Session): PartySnapshot {
  return { process: id, name, pid, host }
}

/** @param total null: as many as anybody likes to give */
export function permitsSnapshot(
  { kind, name }: Pick<ObjectSnapshot, 'name'> & { readonly kind: string },
  { total, free }: { readonly total: number | null; readonly free: number },
  holders: readonly (PermitsParty & { readonly token: number })[],
  waiters: readonly PermitsParty[],
): ObjectSnapshot {
  const rwlock = kind === 'rwlock'
  // A reader takes one permit, a writer all.
  const share = (permits: number): { count: number; side?: 'read' | 'write' } =>
    rwlock ? { count: 1, side: permits === 1 ? 'read' : 'write' } : { count: permits }
  return {
    kind: kind as ObjectSnapshot['kind'],
    name,
    state: 'open',
    depth: rwlock ? Number(holders.every(({ permits }) => permits === 1)) : free,
    capacity: rwlock ? 1 : total,
    holders: holders.map(({ party, permits, token }) => ({ ...party, ...share(permits), token })),
    waiters: waiters.map(({ party, permits }) => ({ ...party, ...share(permits), call: 'acquire' })),
  }
}

/** @param lock its own, if it has one: who waits for that comes behind who waits to be notified */
export function conditionSnapshot(
  name: string,
  waiting: readonly PartySnapshot[],
  lock: Pick<ObjectSnapshot, 'holders' | 'waiters'> | null,
): ObjectSnapshot {
  const waiters = waiting.map((party) => ({ ...party, call: 'wait' as const, count: 1 }))
  return {
    kind: 'condition',
    name,
    state: 'open',
    depth: waiters.length,
    capacity: null,
    holders: lock?.holders ?? [],
    waiters: [...waiters, ...(lock?.waiters ?? [])],
  }
}

/** Of an object that nobody holds, on which `wait()` waits. */
export function waitSnapshot(
  { kind, name }: { readonly kind: string; readonly name: string },
  how: Pick<ObjectSnapshot, 'depth' | 'capacity'> & Partial<Pick<ObjectSnapshot, 'state' | 'holders'>>,
  waiters: readonly PartySnapshot[],
): ObjectSnapshot {
  return {
    kind: kind as ObjectSnapshot['kind'],
    name,
    state: 'open',
    holders: [],
    ...how,
    waiters: waiters.map((party) => ({ ...party, call: 'wait', count: 1 })),
  }
}

/** @param turns who may write, alone for a moment, and who waits for that; see `Value.update` */
export function sharedSnapshot(
  { kind, name }: { readonly kind: string; readonly name: string },
  size: number,
  turns: Pick<ObjectSnapshot, 'holders' | 'waiters'>,
): ObjectSnapshot {
  const depth = kind === 'value' ? 1 : size
  return {
    kind: kind as ObjectSnapshot['kind'],
    name,
    state: 'open',
    depth,
    capacity: kind === 'value' || kind === 'array' ? depth : null,
    holders: turns.holders,
    waiters: turns.waiters.map((waiter) => ({ ...waiter, call: 'update' })),
  }
}

/** @param listening one for each loop */
export function topicSnapshot(name: string, listening: readonly PartySnapshot[]): ObjectSnapshot {
  const waiters = listening.map((party) => ({ ...party, call: 'listen' as const, count: 1 }))
  return { kind: 'topic', name, state: 'open', depth: waiters.length, capacity: null, holders: [], waiters }
}

export interface QueueParties {
  /** Each with how many items it has not acknowledged. */
  readonly holders: readonly (PartySnapshot & { readonly count: number })[]
  readonly get: readonly PartySnapshot[]
  readonly put: readonly PartySnapshot[]
  readonly join: readonly PartySnapshot[]
}

export interface QueueCounts {
  readonly closed: boolean
  readonly size: number
  readonly delayed: number
  /** Dead letters. */
  readonly dead: number
  readonly maxSize: number
}

export function queueSnapshot(
  name: string,
  { closed, size, delayed, dead, maxSize }: QueueCounts,
  { holders, ...waiting }: QueueParties,
): ObjectSnapshot {
  return {
    kind: 'queue',
    name,
    state: closed ? 'closed' : 'open',
    depth: size,
    capacity: Number.isFinite(maxSize) ? maxSize : null,
    delayed,
    dead,
    holders: holders.map((holder) => ({ ...holder, token: null })),
    waiters: (['get', 'put', 'join'] as const).flatMap((call) =>
      waiting[call].map((party) => ({ ...party, call, count: 1 })),
    ),
  }
}
