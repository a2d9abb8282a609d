/**
 * What value, dict, list and array share: encoded values in and out, reads and writes at the broker, and `update`.
 *
 * Whoever has lost a race too often takes a turn: the one permit of a lock that each of these objects has within it. While a turn is
 * fresh nobody else can write; their writes are answered `busy` and wait for a turn of their own. So order comes in only where there
 * is a fight, and a process that dies or is slow in its turn holds up nobody for long.
 */
import { encode, encodeJson } from '../codec/index.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { ArgumentError, CapacityError, TimeoutError } from '../errors.ts'
import { describe } from '../util/describe.ts'
import { timedOut } from '../util/wait.ts'
import { op } from '../wire/frame.ts'
import { numberHead } from '../wire/number-frames.ts'
import { busy, CALL_BYTES, CALL_ITEMS, type Cell, type Stored, TURN } from '../wire/shared.ts'
import { Presence } from './presence.ts'
import { type Home, type Place, RemoteObject } from './remote-object.ts'

/** Races that an update loses before it takes a turn. */
const PATIENCE = 3

/** What the object begins with, encoded; told by its creator alone. */
export interface Seed {
  /** Of a value; of an array that is made by its length, what it is filled with. */
  readonly one?: Stored
  readonly items?: readonly Stored[]
}

function sizeOf(stored: Stored): number {
  return typeof stored === 'string' ? Buffer.byteLength(stored) : stored.length
}

function checkSize(label: string, bytes: number, items: number): void {
  if (bytes > CALL_BYTES) {
    throw new CapacityError(
      `${label}: what is to be stored takes ${bytes} bytes, the most is ${CALL_BYTES} in one call; store it in pieces, or a file's name`,
    )
  }
  if (items > CALL_ITEMS) {
    throw new CapacityError(`${label}: ${items} items in one call are too many, the most is ${CALL_ITEMS}`)
  }
}

/** Encodes a value as the adapter stores it. @throws EncodeError; CapacityError if it is too large */
export function encodeStored(home: Home, label: string, value: unknown, path: string): Stored {
  const stored = home.nature.json ? encodeJson(value, path, home.admit) : encode(value, path, home.admit)
  checkSize(label, sizeOf(stored), 1)
  return stored
}

/** The same for several that are sent together. */
export function encodeItems(home: Home, label: string, values: readonly unknown[]): Stored[] {
  checkSize(label, 0, values.length)
  const items = values.map((value, index) => encodeStored(home, label, value, `items[${index}]`))
  checkSize(
    label,
    items.reduce((sum, stored) => sum + sizeOf(stored), 0),
    items.length,
  )
  return items
}

/** Counts what this process has changed, for those who read ahead. */
class Changes extends Presence {
  count = 0
}

export abstract class LinkedShared extends RemoteObject<Changes> {
  /** @param seed `null` for a handle on what was made elsewhere */
  constructor(place: Place, seed: Seed | null) {
    super(place, () => new Changes())
    if (seed !== null) this.broker.post(this.number, 'init', seed.one ?? null, seed.items ?? null)
  }

  /** How many writes this process has begun or ended. */
  protected get changes(): number {
    return this.presence.count
  }

  protected encode(value: unknown, path = 'value'): Stored {
    return encodeStored(this.home, this.label, value, path)
  }

  protected encodeAll(values: readonly unknown[]): Stored[] {
    return encodeItems(this.home, this.label, values)
  }

  protected decode(stored: Stored): unknown {
    return typeof stored === 'string' ? this.home.decodeText(stored) : this.home.decode(stored)
  }

  protected read<T>(operation: string, ...args: readonly unknown[]): Promise<T> {
    return this.call<T>('read', [operation, ...args])
  }

  protected async write<T>(operation: string, ...args: readonly unknown[]): Promise<T> {
    for (;;) {
      const answer = await this.#write<T>(0, operation, args)
      if (answer !== busy) return answer
      const turn = await this.#turn({ timeout: TURN })
      if (turn === null) continue
      try {
        const again = await this.#write<T>(turn, operation, args)
        if (again !== busy) return again
      } finally {
        this.#giveBack(turn)
      }
    }
  }

  /** Compare and set. @param key of the cell @param wait not yet checked */
  protected async change<T>(
    key: string,
    fn: (current: unknown) => T | PromiseLike<T>,
    wait: WaitOptions | undefined,
  ): Promise<T> {
    const own = this.checked(wait)
    own.signal?.throwIfAborted()
    if (typeof fn !== 'function') {
      throw new ArgumentError(`${this.label}: update() takes a function of the current value, got ${describe(fn)}`)
    }
    const what = `${this.label} was not updated`
    const start = performance.now()
    let turn: number | null = null
    try {
      for (let lost = 0, cell = await this.read<Cell>('get', key); ;) {
        const [version, stored] = cell
        const next = await fn(stored === undefined ? undefined : this.decode(stored))
        own.signal?.throwIfAborted()
        const now = await this.#write<Cell | null>(turn ?? 0, 'replace', [key, version, this.encode(next, 'result')])
        if (now === null) return next
        own.signal?.throwIfAborted()
        const left = (own.timeout ?? Number.POSITIVE_INFINITY) - (performance.now() - start)
        if (left <= 0) throw timedOut(what, own)
        lost += 1
        if (turn !== null) this.#giveBack(turn)
        turn = null
        if (now !== busy && lost < PATIENCE) {
          cell = now
          continue
        }
        turn = await this.#turn({ timeout: Math.min(left, TURN), signal: own.signal })
        cell = await this.read<Cell>('get', key)
      }
    } finally {
      if (turn !== null) this.#giveBack(turn)
    }
  }

  async #write<T>(turn: number, operation: string, args: readonly unknown[]): Promise<T | typeof busy> {
    this.presence.count += 1
    try {
      return await this.call<T | typeof busy>('write', [turn, operation, ...args])
    } finally {
      this.presence.count += 1
    }
  }

  /** Waits in line for the turn; `null`: it has not come in time, and by then whoever has it cannot keep others from writing. */
  async #turn(wait: WaitOptions): Promise<number | null> {
    try {
      return await this.call<number>('acquire', [1, false], {
        wait,
        what: 'it was not our turn',
        owner: this.home,
        late: (turn) => this.#giveBack(turn as number),
      })
    } catch (error) {
      if (error instanceof TimeoutError) return null
      throw error
    }
  }

  #giveBack(turn: number): void {
    this.broker.send(op.release, this.number, 0, numberHead(turn))
  }
}
