/**
 * Value, dict, list and array on Redis: this program's way to the object. Speaks the protocol of the local ones with its clients. What
 * is kept is in Redis alone, so every call is one script there; the turn that an update takes is the lock of `redis-permits.ts`, in the
 * same hash slot.
 *
 * A name that was destroyed and made again is another object, told by its id. Handles on the one before reject, as they do when
 * the server has come back without it: nobody goes on with something else than he thinks.
 */
import {
  BrokerObject,
  busy,
  type Call,
  type Frame,
  type Methods,
  type ObjectKind,
  type Session,
} from '@skein/core/adapter'
import { CapacityError, ConflictError, ConnectionError, StateError } from '@skein/core'
import { Errands } from './errands.ts'
import { RedisPermits } from './redis-permits.ts'
import { type Answer, type Seed, SharedCommands } from './shared-commands.ts'
import type { Owned, ScriptArgument, Surround } from './surround.ts'

export interface SharedSpec {
  readonly length?: number
}

/** The object is written down, its turn with it, and ends with it: the turn alone would take along what is kept. */
const unowned: Owned = {
  has: () => false,
  add: () => undefined,
  remove: () => undefined,
}

export class RedisShared extends BrokerObject {
  readonly #spec: SharedSpec
  readonly #around: Surround
  readonly #commands: SharedCommands
  readonly #errands = new Errands()
  readonly #turns: RedisPermits
  readonly #stops: readonly (() => void)[]
  /** Which a new one gets. */
  readonly #fresh: string
  /** Of the object that this program uses; null while that is not known. */
  #id: string | null = null
  #opening: Promise<string> | null = null
  /** Given by a process of this program that made it, or thinks so. */
  #seed: Seed | null = null

  constructor(kind: ObjectKind, name: string, spec: SharedSpec, around: Surround, session: Session) {
    super(kind, name)
    this.#spec = spec
    this.#around = around
    this.#fresh = around.session.rid(session)
    this.#commands = new SharedCommands(kind, name, around)
    this.#turns = new RedisPermits(kind, name, { permits: 1 }, { ...around, owned: unowned })
    this.#stops = [
      around.wakes.on(this.#commands.tag, (letter, rest) => this.#woken(letter, rest)),
      around.wakes.onResubscribed(() => this.#look()),
      around.session.onReborn(() => this.#look()),
      around.store.onConnected(() => this.#errands.again()),
    ]
  }

  protected override readonly methods: Methods = {
    read: (call) => {
      const [operation, ...args] = call.args as [string, ...ScriptArgument[]]
      void this.#run(call, (id) => this.#commands.read(id, operation, args))
    },
    write: (call) => {
      const [turn, operation, ...args] = call.args as [number, string, ...(ScriptArgument | ScriptArgument[])[]]
      const rid = this.#around.session.rid(call.session)
      void this.#run(call, (id) => this.#commands.write(id, rid, turn, operation, args.flat()))
    },
    acquire: (call) => this.#turns.call('acquire', call),
  }

  protected override async erase(by: string): Promise<void> {
    const id = this.#id ?? (await this.#open())
    await this.#commands.destroy(id, by)
  }

  override frame(session: Session, frame: Frame): void {
    this.#turns.frame(session, frame)
  }

  override post(session: Session, object: number, method: string, args: readonly unknown[]): void {
    if (method !== 'init') {
      super.post(session, object, method, args)
      return
    }
    if (this.#seed === null) {
      const [one, items] = args as [string | null, readonly string[] | null]
      this.#seed = { one, items: items ?? [] }
      if (this.name.startsWith('~')) this.#around.owned.add(this.kind, this.name)
    }
    if (this.#id === null) this.#make()
  }

  override check(spec: unknown): void {
    const { length } = spec as SharedSpec
    if (length !== this.#spec.length) throw this.#conflict(this.#spec.length, length)
  }

  override leave(session: Session): void {
    this.#turns.leave(session)
  }

  override suspend(session: Session): void {
    this.#turns.suspend(session)
  }

  override resume(session: Session): void {
    this.#turns.resume(session)
  }

  override end(reason: Error): void {
    for (const stop of this.#stops) stop()
    this.#turns.end(reason)
    this.#errands.end()
    if (this.#seed === null || !this.name.startsWith('~')) return
    this.#errands.insist(async () => {
      await this.#commands.destroy(this.#fresh, '')
      // Until then it stays written down as this program's.
      this.#around.owned.remove(this.kind, this.name)
    })
  }

  async #run(call: Call, ask: (id: string) => Promise<Answer>): Promise<void> {
    try {
      // Without waiting where there is nothing to wait for, so that calls stay in order.
      const answered = await (this.#id === null ? this.#open().then(ask) : ask(this.#id))
      if (answered.kind === 'gone') throw this.#gone()
      call.ok(answered.kind === 'ok' ? answered.value : busy)
    } catch (error) {
      call.fail(error as Error)
    }
  }

  /** Tried again until the server is there and has room: whoever made it may pass it on, and never use it. */
  #make(): void {
    this.#errands.run(async () => {
      try {
        if (this.#id === null) await this.#open()
      } catch (error) {
        if (error instanceof ConnectionError || error instanceof CapacityError) throw error
        // Each call is told why it cannot be.
      }
    })
  }

  /** Which object the name stands for. */
  async #open(): Promise<string> {
    this.#opening ??= this.#find().finally(() => {
      this.#opening = null
    })
    return this.#opening
  }

  async #find(): Promise<string> {
    const length = this.#spec.length ?? null
    const seed = this.#seed
    const found = await this.#commands.open(this.#fresh, length, seed)
    if (found === null) {
      // Asked for by a handle on the one before, and made anew meanwhile.
      if (this.#seed !== seed) return this.#find()
      throw this.#gone()
    }
    if (found.length !== length) {
      const conflict = this.#conflict(found.length, length)
      this.remove?.(conflict)
      throw conflict
    }
    this.#id = found.id
    return found.id
  }

  /** Whether it is still there: a message may have been lost, or everything. */
  #look(): void {
    this.#errands.run(async () => {
      if (this.#id === null) return
      const { kind } = await this.#commands.read(this.#id, 'look', [])
      if (kind === 'gone') this.#gone()
    })
  }

  #gone(): StateError {
    const how = this.name.startsWith('~') ? 'its creator has ended' : 'it was destroyed'
    const gone = new StateError(`${this.label} is gone: ${how}, or the server has come back without it; make it anew`)
    this.remove?.(gone)
    return gone
  }

  #woken(letter: string, rest: string): void {
    const [sid, ...by] = rest.split(' ')
    // This program's own destroying has told everybody here; the name may belong to a new object since.
    if (letter !== 'x' || sid === this.#around.session.sid) return
    this.remove?.(new StateError(`${this.label} was destroyed by ${by.join(' ')}`))
  }

  #conflict(there: unknown, asked: unknown): ConflictError {
    const mend = 'use one length or another name'
    return new ConflictError(
      `${this.label} exists with ${String(there)} items, ${String(asked)} were asked for; ${mend}`,
    )
  }
}
