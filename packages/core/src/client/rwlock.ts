/**
 * RWLock, as a process has it: a semaphore of more permits than there will ever be readers, of which who reads takes one and who
 * writes takes all. The line of the semaphore is first come, first served, which is all the fairness it needs.
 */
import type { HolderInfo } from '../contract/lock.ts'
import type { RWLock } from '../contract/rwlock.ts'
import { LinkedLock } from './lock.ts'
import { Presence } from './presence.ts'
import { type Place, RemoteObject } from './remote-object.ts'

/** What the broker makes it from. */
export const rwlockShape = { permits: 1_000_000_000 } as const

type SideName = 'read' | 'write'

/** One side is a handle of its own, whose reference names the side. */
class LinkedSide extends LinkedLock {
  readonly #side: SideName

  constructor(place: Place, side: SideName) {
    super({ ...place, shape: { ...rwlockShape, side } }, side === 'read' ? 1 : rwlockShape.permits)
    this.#side = side
  }

  override get label(): string {
    return `${super.label} for ${this.#side === 'read' ? 'reading' : 'writing'}`
  }

  override async locked(): Promise<boolean> {
    return (await this.holder()) !== null
  }

  override holder(): Promise<HolderInfo | null> {
    return this.call<HolderInfo | null>('holder', [this.permits])
  }
}

export class LinkedRWLock extends RemoteObject<Presence> implements RWLock {
  readonly read: LinkedSide
  readonly write: LinkedSide

  private constructor(place: Place, read: LinkedSide, write: LinkedSide) {
    super(place, () => new Presence())
    this.read = read
    this.write = write
  }

  static at(place: Place): LinkedRWLock {
    // First the sides: without a name all three are one object to this process, and the sides keep more of it.
    const sides = [new LinkedSide(place, 'read'), new LinkedSide(place, 'write')] as const
    return new LinkedRWLock(place, ...sides)
  }

  /** The handle that a reference stands for: one of the sides, or the whole. */
  static attach(place: Place): LinkedRWLock | LinkedSide {
    const { side } = place.shape
    return side === 'read' || side === 'write' ? new LinkedSide(place, side) : LinkedRWLock.at(place)
  }
}
