/** How objects of each kind are read, and what they look like: from what the scripts of that kind keep, see their first lines. */
import {
  type ObjectSnapshot,
  type PartySnapshot,
  type PermitsParty,
  conditionSnapshot,
  permitsSnapshot,
  queueSnapshot,
  sharedSnapshot,
  topicSnapshot,
  waitSnapshot,
} from '@skein/core/adapter'
import { type Contents, type Part, partiesIn, partyIn } from './contents.ts'

/** What is known of those whom request ids belong to. */
export interface Parties {
  /** Of a request that has left no word of whom it is for. */
  readonly of: (rid: string) => PartySnapshot
  /** Whether its program lives. */
  readonly alive: (rid: string) => boolean
}

export interface Looking {
  readonly parts: readonly Part[]
  /** All request ids in it. */
  rids(contents: Contents): Iterable<string>
  view(name: string, contents: Contents, parties: Parties): ObjectSnapshot
  /** What has its state under the same keys. */
  within?(contents: Contents, parties: Parties): ObjectSnapshot[]
}

const permits = (kind: string): Looking => ({
  parts: ['h:m', 'h:h', 'l:w', 'h:n'],
  rids: (contents) =>
    [...contents.hash('h:h').keys(), ...contents.hash('h:n').keys()].filter((rid) => !rid.startsWith('#')),
  view: (name, contents, { alive }) => {
    const total = Number(contents.hash('h:m').get('permits') ?? 1)
    const holders = [...contents.hash('h:h')].flatMap(([rid, text]) => {
      const [, count, token, json = ''] = /^(\d+) (\d+) (.*)$/s.exec(text) ?? []
      if (count === undefined || !alive(rid)) return []
      return [{ party: partyIn(json), permits: Number(count), token: Number(token) }]
    })
    holders.sort((one, other) => one.token - other.token)
    const asked = contents.hash('h:n')
    const waiters = contents.list('l:w').flatMap((rid): PermitsParty[] => {
      const [, count, json = ''] = /^(\d+) (.*)$/s.exec(asked.get(rid) ?? '') ?? []
      return count === undefined || !alive(rid) ? [] : [{ party: partyIn(json), permits: Number(count) }]
    })
    const used = holders.reduce((sum, holder) => sum + holder.permits, 0)
    return permitsSnapshot({ kind, name }, { total, free: Math.max(0, total - used) }, holders, waiters)
  },
})

/** Who waits in the conditions of a lock, by their names. */
function conditionsOf(contents: Contents, { alive }: Parties): Map<string, PartySnapshot[]> {
  const about = contents.hash('h:d')
  const all = new Map<string, PartySnapshot[]>()
  for (const member of contents.list('z:c')) {
    const [name = '', , rid = ''] = member.split(' ')
    const [, json] = /^\S+ \d+ \d+ (.*)$/s.exec(about.get(rid) ?? '') ?? []
    if (json !== undefined && alive(rid)) all.set(name, [...(all.get(name) ?? []), partyIn(json)])
  }
  return all
}

const lock = (kind: string): Looking => {
  const own = permits(kind)
  return {
    parts: [...own.parts, 'z:c', 'h:d'],
    rids: (contents) => [
      ...own.rids(contents),
      ...contents.list('z:c').map((member) => member.slice(member.lastIndexOf(' ') + 1)),
    ],
    view: (name, contents, parties) => own.view(name, contents, parties),
    within: (contents, parties) =>
      [...conditionsOf(contents, parties)].map(([name, waiting]) => conditionSnapshot(name, waiting, null)),
  }
}

/**
 * Found by the keys of its own lock, if it has one, or of its line, if its lock is on several masters, or by those that say which lock it
 * belongs to.
 */
const condition = (): Looking => {
  const own = lock('condition')
  return {
    parts: own.parts,
    rids: (contents) => own.rids(contents),
    view: (name, contents, parties) => {
      const [, of, what] = /^(.*)\/(lock|line)$/s.exec(name) ?? []
      const waiting = conditionsOf(contents, parties).get(of ?? name) ?? []
      return conditionSnapshot(of ?? name, waiting, what !== 'lock' ? null : own.view(name, contents, parties))
    },
  }
}

/** Those who wait for an object of `_state.lua`, with what each wants. */
function standing(contents: Contents, { alive }: Parties): { party: PartySnapshot; want: string }[] {
  const about = contents.hash('h:i')
  return contents.list('z:q').flatMap((rid) => {
    const [, want = '', json = ''] = /^(\S*) (.*)$/s.exec(about.get(rid) ?? '') ?? []
    return json === '' || !alive(rid) ? [] : [{ party: partyIn(json), want }]
  })
}

type Shape = Parameters<typeof waitSnapshot>[1]

/** @param how from the state and the number of those who wait */
const state = (
  kind: string,
  how: (state: Map<string, string>, waiting: number, parties: Parties) => Shape,
): Looking => ({
  parts: ['h:m', 'z:q', 'h:i'],
  rids: (contents) => {
    const runner = contents.hash('h:m').get('runner')
    return [...contents.list('z:q'), ...(runner === undefined ? [] : [runner])]
  },
  view: (name, contents, parties) => {
    const waiting = standing(contents, parties).map(({ party }) => party)
    return waitSnapshot({ kind, name }, how(contents.hash('h:m'), waiting.length, parties), waiting)
  },
})

function counter(name: string, contents: Contents, parties: Parties): ObjectSnapshot {
  const now = contents.hash('h:m')
  const waiters = standing(contents, parties).map(({ party, want }) => ({ party, permits: Number(want) }))
  const free = Number(now.get('value') ?? now.get('shape'))
  return permitsSnapshot({ kind: 'semaphore', name }, { total: null, free }, [], waiters)
}

/** Both kinds of semaphores have their shape under one key. */
const semaphore = (): Looking => {
  const owned = permits('semaphore')
  return {
    parts: [...owned.parts, 'z:q', 'h:i'],
    rids: (contents) => [...owned.rids(contents), ...contents.list('z:q')],
    view: (name, contents, parties) =>
      contents.hash('h:m').has('shape') ? counter(name, contents, parties) : owned.view(name, contents, parties),
  }
}

const queue: Looking = {
  parts: ['h:m', 'h:d', 'l:gw', 'l:pw', 'z:jw', 'n:q:wait', 'n:q:prioritized', 'n:q:delayed', 'n:q:failed'],
  rids: (contents) => [
    ...contents.hash('h:d').keys(),
    ...contents.list('l:gw'),
    ...contents.list('l:pw'),
    ...contents.list('z:jw'),
  ],
  view: (name, contents, { of, alive }) => {
    const shape = contents.hash('h:m')
    const [delayed, dead] = [contents.count('n:q:delayed'), contents.count('n:q:failed')]
    const size = contents.count('n:q:wait') + contents.count('n:q:prioritized') + delayed
    const maxSize = Number(shape.get('maxSize') ?? 0) || Number.POSITIVE_INFINITY
    const waiting = (part: `l:${string}` | `z:${string}`): PartySnapshot[] => contents.list(part).filter(alive).map(of)
    const holders = new Map<string, PartySnapshot & { count: number }>()
    for (const rid of contents.hash('h:d').keys()) {
      if (!alive(rid)) continue
      const process = rid.slice(0, rid.lastIndexOf('/'))
      holders.set(process, { ...of(rid), count: (holders.get(process)?.count ?? 0) + 1 })
    }
    return queueSnapshot(
      name,
      { closed: shape.has('closed'), size, delayed, dead, maxSize },
      { holders: [...holders.values()], get: waiting('l:gw'), put: waiting('l:pw'), join: waiting('z:jw') },
    )
  },
}

/** Its turn is kept as a lock is. */
const shared = (kind: string): Looking => {
  const turn = permits(kind)
  return {
    parts: [...turn.parts, 'h:s', 'n:d'],
    rids: (contents) => turn.rids(contents),
    view: (name, contents, parties) => {
      const length = contents.hash('h:s').get('l') ?? ''
      const size = length === '' ? contents.count('n:d') : Number(length)
      return sharedSnapshot({ kind, name }, size, turn.view(name, contents, parties))
    },
  }
}

const topic: Looking = {
  parts: ['h:l', 'h:w'],
  rids: (contents) => [...contents.hash('h:l').keys()].map(ridIn),
  view: (name, contents, { alive }) => {
    const who = contents.hash('h:w')
    const listening = [...contents.hash('h:l').keys()].filter((sid) => alive(ridIn(sid)))
    return topicSnapshot(
      name,
      listening.flatMap((sid) => partiesIn(who.get(sid) ?? '[]')),
    )
  },
}

/** Listeners are kept by program: as the id of any request of it. */
function ridIn(sid: string): string {
  return `${sid}/`
}

/** By the kind in the objects' keys. Locks of several masters are read otherwise. */
export const kinds: Readonly<Record<string, Looking>> = {
  lock: lock('lock'),
  rlock: lock('rlock'),
  condition: condition(),
  election: permits('election'),
  rwlock: permits('rwlock'),
  semaphore: semaphore(),
  queue,
  topic,
  value: shared('value'),
  dict: shared('dict'),
  list: shared('list'),
  array: shared('array'),
  event: state('event', (now) => ({ depth: Number(now.has('set')), capacity: null })),
  latch: state('latch', (now) => {
    const capacity = Number(now.get('shape'))
    return { depth: Number(now.get('left') ?? capacity), capacity }
  }),
  barrier: state('barrier', (now, waiting, { alive }) => {
    const [runner, holder = ''] = [now.get('runner'), now.get('holder')]
    const runs = runner !== undefined && alive(runner)
    return {
      depth: waiting + Number(runs),
      capacity: Number(now.get('shape')),
      state: now.has('broken') ? 'broken' : 'open',
      holders: runs ? [{ ...partyIn(holder), token: null, count: 1 }] : [],
    }
  }),
}
