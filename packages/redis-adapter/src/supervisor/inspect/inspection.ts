/** What all objects of a namespace look like, whichever programs use them: found by their keys, read one by one. */
import type { ObjectSnapshot, PartySnapshot, Session } from '@skein/core/adapter'
import { sessionKeys } from '../program-session.ts'
import type { Quorum } from '../redlock/quorum.ts'
import type { Script, Surround } from '../surround.ts'
import { ContentReader, type Contents, nobody, sidOf } from './contents.ts'
import { kinds, type Looking, type Parties } from './kinds.ts'

/** Keys looked at in one step of the server, and objects asked for at a time. */
const STEP = 1_000

const SCAN = `return redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])`

type Page = [cursor: string, keys: string[]]

interface Found {
  readonly name: string
  readonly looking: Looking
  readonly contents: Contents
}

export class Inspection {
  readonly #around: Surround
  readonly #quorum: Quorum | null
  /** Of this program. */
  readonly #sessions: () => Iterable<Session>
  readonly #reader: ContentReader
  readonly #programs: Script<[], string[]>

  constructor(around: Surround, quorum: Quorum | null, sessions: () => Iterable<Session>) {
    this.#around = around
    this.#quorum = quorum
    this.#sessions = sessions
    this.#reader = new ContentReader(around)
    const { store } = around
    this.#programs = store.script('programs', { text: `return redis.call('HGETALL', KEYS[1])`, readOnly: true })
  }

  async look(): Promise<readonly ObjectSnapshot[]> {
    const tags = await this.#allTags()
    const found: Found[] = []
    const read = async (tag: string): Promise<void> => {
      const [kind, name] = split(tag)
      const looking = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
      if (looking === undefined) return
      found.push({ name, looking, contents: await this.#reader.read(kind, name, looking.parts) })
    }
    for (let at = 0; at < tags.length; at += STEP) await Promise.all(tags.slice(at, at + STEP).map(read))
    const parties = await this.#parties(new Set(found.flatMap(({ looking, contents }) => [...looking.rids(contents)])))
    const objects = found.flatMap(({ name, looking, contents }) => [
      looking.view(name, contents, parties),
      ...(looking.within?.(contents, parties) ?? []),
    ])
    return [...united(objects), ...(await this.#locks())]
  }

  /** Of locks that a majority keeps, any master may know. */
  async #locks(): Promise<ObjectSnapshot[]> {
    const quorum = this.#quorum
    if (quorum === null) return []
    const each = await Promise.allSettled(
      quorum.masters.map((master) => this.#tags((cursor, match) => master.scan(cursor, 'MATCH', match, 'COUNT', STEP))),
    )
    const all = new Set(each.flatMap((tags) => (tags.status === 'fulfilled' ? tags.value : [])))
    const locks = [...all].filter((tag) => tag.startsWith('redlock:')).map((tag) => split(split(tag)[1]))
    return Promise.all(
      locks.map(async ([kind, name]): Promise<ObjectSnapshot> => {
        const key = `{${this.#around.namespace}:redlock:${kind}:${name}}`
        const [view, line] = await Promise.all([quorum.fence.look(key), quorum.hints.length(key)])
        const holder = view?.holder ?? null
        const held = view?.held === true
        return {
          kind: kind as ObjectSnapshot['kind'],
          name,
          state: 'open',
          depth: held ? 0 : 1,
          capacity: 1,
          holders: holder === null ? [] : [{ ...holder, count: 1 }],
          // The line knows no more of them than that they stand there, its head being who holds it.
          waiters: Array.from({ length: Math.max(0, line - Number(held)) }, () => ({
            ...nobody,
            call: 'acquire' as const,
            count: 1,
          })),
        }
      }),
    )
  }

  async #allTags(): Promise<string[]> {
    const each = this.#around.store.parts.map((part) => {
      const scan = part.script<[string, string, number], Page>('keys', { text: SCAN, readOnly: true })
      return this.#tags((cursor, match) => scan.call([], [cursor, match, STEP]))
    })
    return (await Promise.all(each)).flat()
  }

  /** `<kind>:<name>` of all objects that have keys on that server. */
  async #tags(scan: (cursor: string, match: string) => Promise<Page>): Promise<string[]> {
    const { namespace } = this.#around
    const prefix = `{${namespace}:`
    const tags = new Set<string>()
    let cursor = '0'
    do {
      const [next, page] = await scan(cursor, `${prefix}*`)
      for (const key of page) tags.add(key.slice(prefix.length, key.indexOf('}')))
      cursor = next
    } while (cursor !== '0')
    return [...tags]
  }

  async #parties(rids: ReadonlySet<string>): Promise<Parties> {
    const { session, deaths } = this.#around
    const sids = [...new Set([...rids].map(sidOf))].filter((sid) => sid !== session.sid)
    const [dead, programs] = await Promise.all([deaths.deadOf(sids), this.#whereabouts(sids)])
    const gone = new Set(dead)
    const own = new Map<string, PartySnapshot>()
    for (const one of this.#sessions()) {
      const { id, name, pid, host } = one.process
      own.set(session.processOf(one), { process: id, name, pid, host })
    }
    return {
      alive: (rid) => !gone.has(sidOf(rid)),
      of: (rid) => own.get(rid.slice(0, rid.lastIndexOf('/'))) ?? programs.get(sidOf(rid)) ?? nobody,
    }
  }

  /** Where programs run: as much as they say of themselves. */
  async #whereabouts(sids: readonly string[]): Promise<Map<string, PartySnapshot>> {
    const programs = new Map<string, PartySnapshot>()
    if (sids.length === 0) return programs
    const all = await this.#programs.call([sessionKeys(this.#around.namespace).info], [])
    for (let at = 0; at < all.length; at += 2) {
      const { pid = null, host = null } = JSON.parse(all[at + 1] as string) as Partial<PartySnapshot>
      programs.set(all[at] as string, { ...nobody, pid, host })
    }
    return programs
  }
}

function split(tag: string): [kind: string, name: string] {
  const colon = tag.indexOf(':')
  return [tag.slice(0, colon), tag.slice(colon + 1)]
}

/** Each object once: a condition has keys of its own beside those of its lock, where its line is. */
function united(objects: readonly ObjectSnapshot[]): ObjectSnapshot[] {
  const all = new Map<string, ObjectSnapshot>()
  for (const object of objects) {
    const key = `${object.kind} ${object.name}`
    const { depth, holders, waiters } = all.get(key) ?? { depth: 0, holders: [], waiters: [] }
    all.set(key, {
      ...object,
      depth: depth + object.depth,
      holders: [...holders, ...object.holders],
      waiters: [...waiters, ...object.waiters],
    })
  }
  return [...all.values()]
}
