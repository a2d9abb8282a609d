/** Value, as a process has it: the one cell of its object. */
import type { Value } from '../contract/state.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { ArgumentError, StateError } from '../errors.ts'
import { describe } from '../util/describe.ts'
import type { Cell, Stored } from '../wire/shared.ts'
import { LinkedShared } from './shared.ts'

const KEY = 'v'

export class LinkedValue<T> extends LinkedShared implements Value<T> {
  async get(): Promise<T> {
    const [, stored] = await this.read<Cell>('get', KEY)
    // Always there: an object without its first value is told as gone.
    return this.decode(stored as Stored) as T
  }

  async set(value: T): Promise<void> {
    await this.write('set', KEY, this.encode(value))
  }

  update(fn: (current: T) => T | PromiseLike<T>, wait?: WaitOptions): Promise<T> {
    return this.change(KEY, fn as (current: unknown) => T | PromiseLike<T>, wait)
  }

  async add(n: number): Promise<number> {
    if (typeof n !== 'number' || !Number.isFinite(n)) {
      throw new ArgumentError(`${this.label}: add() takes a finite number, got ${describe(n)}`)
    }
    const sum = await this.write<Stored | null>('add', KEY, this.encode(n))
    if (sum === null) throw new StateError(`${this.label} holds no number, which add() needs; use update()`)
    return this.decode(sum) as number
  }
}
