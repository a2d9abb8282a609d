/**
 * What a start asks of its host, and how those find each other who ask and who have: all work that asks for the same has one queue, and a list
 * of the namespace says which such queues there are. A host takes from those whose needs it meets.
 */
import { createHash } from 'node:crypto'
import type { Labels } from '@skein/core'
import { type Needs, PROTOCOL } from '@skein/core/adapter'
import type { Script, Surround } from '../surround.ts'

/** How long a queue is listed after it was last put into, in ms. */
const LISTED = 3_600_000
/** How often whoever has work in it says so again. */
export const LIST_AGAIN = 600_000

/** What hosts listen to: there may be a further queue. */
export const WORK_TAG = 'work'

/** Somebody else's: nobody could ever list anything. */
const OURS = `local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'zset' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
`

const LIST = `${OURS}local t = redis.call('TIME')
redis.call('ZADD', KEYS[1], t[1] * 1000, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], 'm ${WORK_TAG}')
return 1`

const LISTING = `${OURS}local t = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (t[1] * 1000 - ARGV[1]))
return redis.call('ZRANGE', KEYS[1], 0, -1)`

/** Written the same way by everybody who asks for the same; `''`: for nothing. */
export function textOf(needs: Needs | null): string {
  const asked = needs === null ? [] : Object.entries(needs.labels)
  if (needs === null || (needs.host === null && asked.length === 0)) return ''
  return JSON.stringify([needs.host, asked])
}

/** `null`: a stranger has written that. */
function needsOf(text: string): Needs | null {
  try {
    const [host, labels] = JSON.parse(text) as [unknown, unknown]
    if (!(host === null || typeof host === 'string') || !Array.isArray(labels)) return null
    return { host, labels: Object.fromEntries(labels as [string, string][]) }
  } catch {
    return null
  }
}

/**
 * The queue's key is `{<namespace>:work:any…}`: another one for each protocol and each secret, since who does not know them could not ask what a
 * job is about.
 */
export function workKey({ seal }: Pick<Surround, 'seal'>, needs: string = ''): string {
  const asked = needs === '' ? '' : `.${createHash('sha256').update(needs).digest('hex').slice(0, 12)}`
  return `work:any.${PROTOCOL}${seal === null ? '' : `.${seal.id}`}${asked}`
}

/** What a host lacks of what a start asks for, for people; `''`: nothing. */
export function lacks({ host, labels }: Needs, has: { readonly host: string; readonly labels: Labels }): string {
  if (host !== null && host !== has.host) return `it is not ${host}`
  const missing = Object.entries(labels).filter(([name, value]) => has.labels[name] !== value)
  return missing.length === 0 ? '' : `it has no label ${missing.map(([name, value]) => `${name}=${value}`).join(', ')}`
}

export class NeedsList {
  readonly #around: Surround
  readonly #key: string
  readonly #list: Script<readonly (string | number)[], number>
  readonly #listing: Script<readonly [number], string[]>

  constructor(around: Surround) {
    this.#around = around
    this.#key = `{${around.namespace}:work}:needs.${PROTOCOL}`
    this.#list = around.store.script('work-list', { text: LIST, allowOom: true })
    this.#listing = around.store.script('work-listing', { text: LISTING, allowOom: true })
  }

  async add(needs: string): Promise<void> {
    const everybody = `${this.#around.namespace}:all`
    await this.#list.call([this.#key], [needs, LISTED, everybody], { deadline: Number.POSITIVE_INFINITY })
  }

  /** Those that such a host meets. */
  async met(has: Parameters<typeof lacks>[1]): Promise<string[]> {
    const all = await this.#listing.call([this.#key], [LISTED])
    return all.filter((text) => {
      const needs = needsOf(text)
      return needs !== null && lacks(needs, has) === ''
    })
  }
}
