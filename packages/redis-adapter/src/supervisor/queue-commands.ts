/** A queue's scripts as typed commands. */
import type { QueueShape } from '@skein/core/adapter'
import { allowsOom, type QueueScript, queueScripts, scriptText } from './bull.ts'
import type { Script, ScriptArgument, Store, Surround } from './surround.ts'

/** How a request waits: not at all, in line, or in line already and looking who stands in the way. */
export type Mode = 'poll' | 'wait' | 'look'

export interface JobData {
  readonly rid: string
  /** BullMQ's id. */
  readonly id: string
  /** 1 for the first delivery. */
  readonly attempt: number
  /** JSON text in UTF-8. */
  readonly data: Buffer
}

/** `others` are the programs that hold items or stand in line, as far as the script was asked to say. */
export type PutAnswer =
  /** `ahead`: the item that was taken for the get that was foreseen. */
  | { readonly kind: 'done'; readonly id: string; readonly ahead: JobData | null }
  | { readonly kind: 'full' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'waits'; readonly others: readonly string[] }
  | { readonly kind: 'shape'; readonly maxSize: number; readonly maxDeliveries: number }

export type FetchAnswer =
  | { readonly kind: 'job'; readonly job: JobData }
  | { readonly kind: 'none'; readonly others: readonly string[] }
  /** `due`: milliseconds until a delayed item may be taken, for who is first in line; null: none. */
  | { readonly kind: 'waits'; readonly due: number | null; readonly others: readonly string[] }
  | { readonly kind: 'closed' }

/** id, attempts, reason, when, JSON text in UTF-8 */
export type DeadJob = readonly [string, number, string, number, Buffer]

export interface JoinAnswer {
  readonly done: boolean
  /** The number of the last item that is waited for. */
  readonly upTo: string
  readonly others: readonly string[]
}

export type OpenAnswer =
  | { readonly kind: 'shape'; readonly maxSize: number; readonly maxDeliveries: number }
  | {
      readonly kind: 'open'
      readonly reopened: boolean
      readonly closed: boolean
      readonly others: readonly string[]
    }

/** A message for this program: which letter, and for which request. `i` an item, `r` room, `j` joined, `c` closed, `x` destroyed. */
export type QueueWake = (letter: string, rid: string) => void

export interface PutMore {
  /** Other rids under which the same put may have been done, in the name of sessions that are lost: spaces between. */
  readonly former?: string
  /** The request of a get that will come. */
  readonly ahead?: string
  /** `<delay> <priority> <id>`; absent: nothing is said of the item. */
  readonly how?: string
}

type Reply = readonly [unknown, readonly Buffer[]]

/** So many confirmed puts are named in one further put. */
const CONFIRMED = 16

/** How many dead letters are read at once. */
const PAGE = 100

/** Bytes up to which an item is sent as text. */
const BRIEF = 1_024

const scripts = new WeakMap<Store, Map<QueueScript, Script<readonly ScriptArgument[], Reply>>>()

/** Once for each store: the texts are long. */
function scriptOf(store: Store, name: QueueScript): Script<readonly ScriptArgument[], Reply> {
  let known = scripts.get(store)
  if (known === undefined) {
    const make = (one: QueueScript): [QueueScript, Script<readonly ScriptArgument[], Reply>] => [
      one,
      store.script(`q-${one}`, { allowOom: allowsOom(one), binary: true, text: scriptText(one) }),
    ]
    known = new Map(queueScripts.map(make))
    scripts.set(store, known)
  }
  return known.get(name) as Script<readonly ScriptArgument[], Reply>
}

const limit = (most: number): string => (Number.isFinite(most) ? String(most) : '0')

/** JSON knows no Infinity, and Lua compares text: a queue without a limit says 2^53 - 1. */
const often = (most: number): string => String(Number.isFinite(most) ? most : Number.MAX_SAFE_INTEGER)

const texts = (values: readonly unknown[]): string[] => values.map(String)

export class QueueCommands {
  readonly #around: Surround
  readonly #tag: string
  readonly #shape: readonly [string, string]
  readonly #keys: readonly string[]
  readonly #stop: () => void
  readonly #told: QueueWake
  #confirmed: string[] = []

  /** @param key `<kind>:<name>`, which also tags the messages */
  constructor(around: Surround, key: string, shape: QueueShape, told: QueueWake) {
    this.#around = around
    this.#tag = key
    this.#shape = [limit(shape.maxSize), often(shape.maxDeliveries)]
    this.#keys = [`{${around.namespace}:${key}}`]
    this.#told = told
    this.#stop = around.wakes.on(key, told)
  }

  /** Hears no more messages. */
  stop(): void {
    this.#stop()
  }

  async put(rid: string, data: string | Uint8Array, mode: Mode, more: PutMore = {}): Promise<PutAnswer> {
    const { former = '', ahead = '', how = '' } = more
    const confirmed = this.#confirmed.length < CONFIRMED ? [] : this.#confirmed.splice(0, CONFIRMED)
    const words = [rid, ...this.#shape, mode, confirmed.join(' '), former, ahead, how, brief(data)]
    let answer: readonly unknown[]
    try {
      answer = await this.#run('put', words, mode)
    } catch (error) {
      this.#confirmed.push(...confirmed)
      throw error
    }
    const [what, ...rest] = answer
    if (what === 1) {
      this.#confirmed.push(rid)
      const [id, attempt, of, other] = rest
      if (attempt === undefined) return { kind: 'done', id: String(id), ahead: null }
      const own = Buffer.isBuffer(other) && other.length > 0 ? other : bufferOf(data)
      return {
        kind: 'done',
        id: String(id),
        ahead: { rid: ahead, id: String(of), attempt: Number(attempt), data: own },
      }
    }
    if (what === 0) return { kind: 'full' }
    const letter = String(what)
    if (letter === 'w') return { kind: 'waits', others: texts(rest) }
    return letter === 'c' ? { kind: 'closed' } : shapeOf(rest)
  }

  async fetch(rid: string, mode: Mode): Promise<FetchAnswer> {
    const words = [rid, mode, rid.slice(0, rid.lastIndexOf('/') + 1)]
    const ask = (): Promise<readonly unknown[]> => this.#run('fetch', words, mode)
    let answer = await ask()
    while (String(answer[0]) === 'm') answer = await ask()
    const [what, ...rest] = answer
    if (what === 1) {
      const [id, attempt, data] = rest
      return { kind: 'job', job: { rid, id: String(id), attempt: Number(attempt), data: data as Buffer } }
    }
    if (what === 0) return { kind: 'none', others: texts(rest) }
    if (String(what) !== 'w') return { kind: 'closed' }
    const [due, ...others] = texts(rest)
    return { kind: 'waits', due: due === '' ? null : Number(due), others }
  }

  /** Over for good; with `failed`, set aside as a dead letter with that reason. @returns for each whether it was this program's */
  async finish(rids: readonly string[], failed = ''): Promise<readonly boolean[]> {
    const out = await this.#run<number[]>('finish', [rids.join(' '), failed])
    return out.map((one) => one === 1)
  }

  /**
   * Back to the front of the queue, or out of the line of getters.
   *
   * @param rids newest first
   * @param counted whether it was a delivery: the next one's attempt is higher by one then
   * @param delay milliseconds until it may be taken again; then it stands at the end
   */
  async back(rids: readonly string[], counted: boolean, delay = 0): Promise<readonly boolean[]> {
    const out = await this.#run<number[]>('back', [rids.join(' '), counted ? '0' : '1', delay > 0 ? String(delay) : ''])
    return out.map((one) => one === 1)
  }

  /** Takes back what these hold and their places in line. @param dead sids, or `<sid>/<process>` */
  async reap(dead: readonly string[]): Promise<number> {
    return this.#run<number>('reap', [` ${dead.join('  ')} `])
  }

  /** Takes puts and joins out of the lines, and out of the queue what was put and is still there. @returns whose item was taken already */
  async leave(rids: readonly string[]): Promise<readonly string[]> {
    return texts((await this.#wait('leave', '', rids.join(' '))) as unknown[])
  }

  /** @param upTo the number that an earlier asking of the same call got, or '' */
  async join(rid: string, upTo: string, mode: Mode): Promise<JoinAnswer> {
    const [done, last, ...others] = (await this.#wait('join', rid, upTo, mode === 'poll' ? mode : 'wait')) as unknown[]
    return { done: done === 1, upTo: String(last), others: texts(others) }
  }

  /** Nobody can put any more when this resolves. */
  async close(): Promise<void> {
    await this.#wait('close')
  }

  /** Says the queue's shape, or makes it; one that was closed and drained opens again, unless it was named elsewhere before. */
  async open(attached: boolean): Promise<OpenAnswer> {
    const [what, ...rest] = (await this.#wait('open', attached ? 'attached' : '', ...this.#shape)) as unknown[]
    if (String(what) === 's') return shapeOf(rest)
    const [reopened, closed, ...others] = rest
    return { kind: 'open', reopened: reopened === 1, closed: closed === 1, others: texts(others) }
  }

  /** How many wait, and how many are not over. */
  async size(): Promise<{ readonly waiting: number; readonly total: number }> {
    const [waiting, total] = (await this.#wait('size')) as [number, number]
    return { waiting, total }
  }

  /** Drops what waits now. @returns how many */
  purge(): Promise<number> {
    return this.#dropAll('purge')
  }

  /** In pages: Redis serves nobody else meanwhile. */
  async #dropAll(operation: 'purge' | 'clear'): Promise<number> {
    let dropped = 0
    for (let left = -1; left !== 0;) {
      const answer = (await this.#wait(operation, '', left < 0 ? '' : String(left))) as [number, number]
      dropped += answer[0]
      left = answer[1]
    }
    return dropped
  }

  /** The dead letters, the oldest first. */
  async dead(): Promise<DeadJob[]> {
    const all: DeadJob[] = []
    for (;;) {
      const page = (await this.#wait('dead', '', String(all.length), String(PAGE))) as (readonly unknown[])[]
      for (const [id, ats, reason, at, data] of page)
        all.push([String(id), Number(ats), String(reason), Number(at), data as Buffer])
      if (page.length < PAGE) return all
    }
  }

  /** Drops the dead letters. @returns how many */
  clear(): Promise<number> {
    return this.#dropAll('clear')
  }

  /** A dead letter is an item as if newly put. */
  async retry(id: string): Promise<'done' | 'none' | 'closed'> {
    const answer = String(await this.#run('retry', [id]))
    return answer === 'c' ? 'closed' : answer === '1' ? 'done' : 'none'
  }

  /** Deletes the queue with everything in it. */
  async destroy(): Promise<void> {
    await this.#wait('destroy')
  }

  async #wait(operation: string, rid = '', arg = '', more = ''): Promise<unknown> {
    return this.#run('wait', [operation, rid, arg, more], operation === 'join' && more === 'wait' ? 'wait' : 'poll')
  }

  /** @param mode what waits is held until the connection is there again, so that it keeps its place among the commands */
  async #run<R>(name: QueueScript, args: readonly ScriptArgument[], mode: Mode = 'poll'): Promise<R> {
    const { store, session, wakes, outage } = this.#around
    const all = [session.sid, wakes.prefix, this.#tag, ...args]
    const patience = mode === 'poll' ? {} : { deadline: outage }
    const [answer, own] = await scriptOf(store, name).call(this.#keys, all, patience)
    for (const wake of own) {
      const word = wake.toString()
      // Who destroys it here tells everybody here, and by whom.
      if (word.startsWith('x')) continue
      this.#told(word.slice(0, 1), word.slice(2))
    }
    return answer as R
  }
}

/** A command of texts alone is put together faster. */
function brief(data: string | Uint8Array): string | Uint8Array {
  return typeof data === 'string' || data.length > BRIEF ? data : bufferOf(data).toString()
}

function bufferOf(data: string | Uint8Array): Buffer {
  return typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

function shapeOf([maxSize, maxDeliveries]: readonly unknown[]): {
  kind: 'shape'
  maxSize: number
  maxDeliveries: number
} {
  const size = Number(maxSize)
  const deliveries = Number(maxDeliveries)
  return {
    kind: 'shape',
    maxSize: size === 0 ? Number.POSITIVE_INFINITY : size,
    maxDeliveries: deliveries === Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : deliveries,
  }
}
