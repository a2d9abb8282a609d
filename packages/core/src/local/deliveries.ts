/**
 * Where the items of a queue are: waiting, ahead with a consumer that has not handed them out yet, or held by one until it
 * acknowledges. An item is in one of these places at a time.
 *
 * Items travel ahead of demand to a consumer that is alone and quick, as many as its window. They are recalled when somebody
 * else asks. The consumer tells of those it has handed out in bunches; what it has not told of when it dies is delivered again.
 */
import { monotonic } from '../util/clock.ts'
import { op } from '../wire/frame.ts'
import { type AheadBoard, off, type Place } from '../wire/ahead-board.ts'
import type { Session } from '../supervisor/broker/session.ts'
import { DeadLetters } from './dead-letters.ts'
import { WaitingItems } from './waiting-items.ts'

/** Milliseconds without a sign of life after which a consumer no longer keeps others from getting items ahead. */
const RECENT = 5_000
/** Two requests within this many milliseconds make a consumer quick; items that stay ahead longer make it slow. */
const QUICK = 2
const SLOW = 20
const LARGEST_WINDOW = 256
/** Milliseconds that a consumer gets to return what it has ahead. */
const PATIENCE = 20

export interface Item {
  readonly number: number
  readonly bytes: Uint8Array
  /** 0: none. */
  readonly priority: number
  /** '': none. */
  readonly id: string
  attempt: number
  /** On the board of the session that it is ahead with. */
  place: Place
}

/** What a queue knows of one user: a session, and the number under which it knows the queue. */
export class QueueUser {
  readonly session: Session
  /** The queue's number there. */
  readonly number: number
  /** Until when it may put without an answer; 0: it may not. */
  passUntil = 0
  /** It has put under its pass since that was looked at. */
  hasPut = false
  /** The first item put under a pass that came too late, by the producer's count; 0: none. */
  refused = 0
  readonly ahead: Map<number, Item> = new Map()
  window = 0
  lastSign: number = Number.NEGATIVE_INFINITY
  aheadSince = 0
  recalled: 'no' | 'asked' | 'late' = 'no'
  patience: NodeJS.Timeout | undefined

  constructor(session: Session, number: number) {
    this.session = session
    this.number = number
  }

  /** It has asked for an item. */
  asked(): void {
    const now = monotonic()
    if (now - this.lastSign < QUICK) this.window = Math.min(LARGEST_WINDOW, Math.max(8, this.window * 2))
    this.lastSign = now
  }

  /** It has handed out items. */
  moved(): void {
    const now = monotonic()
    if (now - this.aheadSince > SLOW) this.window >>= 1
    this.lastSign = now
    this.aheadSince = now
  }
}

/** Session and number in one key: a map of maps would be looked up twice for each item. */
function key(session: Session, number: number): number {
  return session.serial * 0x1_0000_0000 + number
}

const head = Buffer.allocUnsafe(12)

export class Deliveries {
  readonly #most: number
  readonly #finished: (item: Item) => void
  readonly #waiting: WaitingItems
  readonly #held = new Map<number, { readonly item: Item; readonly user: QueueUser }>()
  readonly #users = new Map<number, QueueUser>()
  dead: DeadLetters = new DeadLetters()
  #last: QueueUser | null = null
  #ahead = 0
  #recalls = 0

  /**
   * @param most how often an item is delivered before it is set aside
   * @param finished told of each item that will not be delivered any more
   * @param came told when delayed items wait now
   */
  constructor(most: number, finished: (item: Item) => void, came: () => void) {
    this.#most = most
    this.#finished = finished
    this.#waiting = new WaitingItems(came)
  }

  /** Items that no user has in hand. */
  get unheld(): number {
    return this.#waiting.length + this.#waiting.delayed + this.#ahead
  }

  get total(): number {
    return this.unheld + this.#held.size
  }

  get waiting(): number {
    return this.#waiting.length
  }

  get delayed(): number {
    return this.#waiting.delayed
  }

  get users(): Iterable<QueueUser> {
    return this.#users.values()
  }

  /** How many items each process has in hand. */
  get holders(): Map<Session, number> {
    const counts = new Map<Session, number>()
    for (const { user } of this.#held.values()) counts.set(user.session, (counts.get(user.session) ?? 0) + 1)
    return counts
  }

  user(session: Session, number: number): QueueUser {
    // Frames of one user come in runs.
    if (this.#last?.session === session && this.#last.number === number) return this.#last
    const user = this.#users.get(key(session, number)) as QueueUser
    this.#last = user
    return user
  }

  join(session: Session, number: number): void {
    this.#users.set(key(session, number), new QueueUser(session, number))
  }

  /** @param delay milliseconds */
  add(item: Item, delay: number): void {
    if (delay > 0) this.#waiting.delay(item, delay)
    else this.#waiting.push(item)
  }

  /** Sends the next item, if there is one, to who has asked for it. */
  sendTo(user: QueueUser): void {
    this.#send(user, user.session.board?.put() ?? off)
  }

  #send(user: QueueUser, place: Place): void {
    const item = this.#waiting.shift()
    if (item === undefined) return
    item.place = place
    if (user.ahead.size === 0) user.aheadSince = monotonic()
    user.ahead.set(item.number, item)
    this.#ahead += 1
    head.writeUInt32LE(item.attempt, 0)
    head.writeUInt32LE(place.slot, 4)
    head.writeUInt32LE(place.tag, 8)
    user.session.send(op.item, user.number, item.number, head, item.bytes)
  }

  /** Sends items ahead to a consumer that is alone; not those with a priority, since more urgent ones may come. */
  fill(user: QueueUser): void {
    if (this.#waiting.plain === 0 || user.recalled !== 'no' || user.ahead.size * 2 > user.window || !this.#alone(user))
      return
    const { board } = user.session
    while (user.ahead.size < user.window && this.#waiting.plain > 0) {
      const place = board === null ? off : board.put()
      if (place === null) return
      this.#send(user, place)
    }
  }

  /** Items have come: whoever is alone and quick may get them ahead. */
  fillAnyone(): void {
    for (const user of this.#users.values()) if (user.window > 0) this.fill(user)
  }

  /** Whether anybody but this user has items at all. */
  outElsewhere(user: QueueUser): boolean {
    if (this.#ahead > user.ahead.size) return true
    for (const held of this.#held.values()) if (held.user !== user) return true
    return false
  }

  /**
   * Asks back what others have ahead, which comes before all that waits: until it is back nobody gets anything, so that the order
   * holds. A consumer that is blocked does not answer; after `PATIENCE` ms the rest goes on without its items.
   *
   * @param hungry who asks; null: nobody's items stay ahead
   * @param goOn called when the patience is over
   * @returns whether there is something to wait for
   */
  recall(hungry: QueueUser | null, goOn: () => void): boolean {
    for (const user of this.#users.values()) {
      if (user === hungry || user.ahead.size === 0 || user.recalled !== 'no') continue
      user.window = 0
      if (user.session.board !== null) this.#takeBack(user, user.session.board)
      // What is on the board and not taken back was handed out.
      if (![...user.ahead.values()].some(({ place }) => place.slot === 0)) continue
      user.recalled = 'asked'
      user.session.event(user.number, 'recall')
      this.#recalls += 1
      user.patience = setTimeout(() => {
        user.recalled = 'late'
        this.#recalls -= 1
        goOn()
      }, PATIENCE)
    }
    return this.#recalls > 0
  }

  /** Takes back what a user has ahead without asking it: it may be blocked. What it has handed out meanwhile stays with it. */
  #takeBack(user: QueueUser, board: AheadBoard): void {
    const numbers: number[] = []
    for (const [number, { place }] of user.ahead) if (place.slot !== 0 && board.take(place)) numbers.push(number)
    this.returned(user, numbers)
  }

  /** Whether items are on their way back that come before all that waits. */
  get recalling(): boolean {
    return this.#recalls > 0
  }

  /** These were not handed out. */
  returned(user: QueueUser, numbers: readonly number[]): void {
    if (user.recalled === 'asked') this.#recalls -= 1
    user.recalled = 'no'
    clearTimeout(user.patience)
    this.#waiting.restore(numbers.flatMap((number) => this.#fromAhead(user, number) ?? []))
  }

  /** Everything that is ahead up to this item was handed out for good. */
  taken(user: QueueUser, last: number): void {
    user.moved()
    for (const [number, item] of user.ahead) {
      user.ahead.delete(number)
      user.session.board?.free(item.place)
      this.#ahead -= 1
      this.#finished(item)
      if (number === last) return
    }
  }

  /** This item was handed out until acknowledged. */
  holds(user: QueueUser, number: number): void {
    user.moved()
    const item = this.#fromAhead(user, number)
    if (item !== undefined) this.#held.set(number, { item, user })
  }

  acknowledged(user: QueueUser, number: number): void {
    const held = this.#held.get(number)
    if (held?.user !== user) return
    this.#held.delete(number)
    this.#finished(held.item)
  }

  /** A held item goes back to the head of the line, or after a delay; delivered too often, it is set aside. */
  giveBack(user: QueueUser, number: number, reason = 'given back too often', delay = 0): void {
    const held = this.#held.get(number)
    if (held?.user !== user) return
    const { item } = held
    this.#held.delete(number)
    if (item.attempt < this.#most) {
      item.attempt += 1
      if (delay > 0) this.#waiting.delay(item, delay)
      else this.#waiting.unshift(item)
    } else {
      this.dead.add(item, reason)
      this.#finished(item)
    }
  }

  /** The session has ended. */
  leave(session: Session): void {
    for (const [id, user] of this.#users) {
      if (user.session !== session) continue
      this.returned(user, [...user.ahead.keys()])
      const held = [...this.#held.entries()].filter(([, one]) => one.user === user)
      for (const [number] of held.toReversed()) this.giveBack(user, number, 'its consumer ended')
      this.#users.delete(id)
    }
    this.#last = null
  }

  /** Drops what waits. @returns how many */
  purge(): number {
    const items = this.#waiting.drain()
    for (const item of items) this.#finished(item)
    return items.length
  }

  clear(): void {
    this.#waiting.drain()
    this.#held.clear()
    for (const user of this.#users.values()) {
      for (const { place } of user.ahead.values()) user.session.board?.free(place)
      user.ahead.clear()
      clearTimeout(user.patience)
    }
    this.#ahead = 0
    this.#recalls = 0
  }

  *[Symbol.iterator](): IterableIterator<Item> {
    yield* this.#waiting
    for (const user of this.#users.values()) yield* user.ahead.values()
    for (const { item } of this.#held.values()) yield item
  }

  #alone(user: QueueUser): boolean {
    for (const other of this.#users.values()) {
      if (other !== user && other.lastSign > user.lastSign - RECENT) return false
    }
    return true
  }

  #fromAhead(user: QueueUser, number: number): Item | undefined {
    const item = user.ahead.get(number)
    if (item === undefined) return undefined
    user.ahead.delete(number)
    user.session.board?.free(item.place)
    this.#ahead -= 1
    return item
  }
}
