/**
 * A pipe in Redis, as this program's supervisor has it: two lists, one a direction, and which process used each end last. For its
 * clients each direction is a queue of its own, as on the local adapter.
 */
import { BrokerObject, type End, type Methods, type Session } from '@skein/core/adapter'
import { Errands } from './errands.ts'
import { PipeCommands } from './pipe-commands.ts'
import { RedisPipeInbox } from './redis-pipe-inbox.ts'
import { Suspects } from './suspects.ts'
import { type Surround, tagOf } from './surround.ts'

export class RedisPipeObject extends BrokerObject {
  readonly #around: Surround
  readonly #commands: PipeCommands
  readonly #errands = new Errands()
  readonly #inboxes: readonly [RedisPipeInbox, RedisPipeInbox]
  readonly #stops: readonly (() => void)[]
  readonly #ours: boolean
  /** Which processes of this program used the ends last, as far as it knows. */
  readonly #users: [Session | null, Session | null] = [null, null]
  #timer: NodeJS.Timeout | undefined

  /**
   * @param add makes an object known to the broker
   * @param creator the session whose process names the pipe for the first time here
   */
  constructor(name: string, add: (inbox: RedisPipeInbox) => void, around: Surround, creator: Session | null = null) {
    super('pipe', name)
    this.#around = around
    const maker = name.slice(1, name.lastIndexOf('-'))
    this.#ours = name.startsWith('~') && (creator === null || creator.process.id === maker)
    if (this.#ours) around.owned.add('pipe', name)
    const { session, store, wakes, deaths } = around
    const commands = new PipeCommands(around, tagOf('pipe', name), (rid) => {
      for (const inbox of this.#inboxes) inbox.wake(rid)
    })
    this.#commands = commands
    const reap = (gone: readonly string[]): void => this.#errands.run(() => commands.reap(gone))
    const suspects = new Suspects(around, reap)
    const inbox = (end: End): RedisPipeInbox => {
      const made = new RedisPipeInbox(name, end, around, commands, this.#errands, {
        used: (by, side) => {
          this.#users[side] = by
        },
        suspect: (sid) => suspects.look([sid]),
        waits: () => {
          this.#timer ??= setTimeout(() => this.#look(), around.beat)
        },
      })
      add(made)
      return made
    }
    this.#inboxes = [inbox(0), inbox(1)]
    this.#stops = [
      store.onConnected(() => {
        this.#errands.again()
        for (const one of this.#inboxes) one.wakeAll()
      }),
      wakes.onResubscribed(() => {
        for (const one of this.#inboxes) one.wakeAll()
      }),
      deaths.onDeath(reap),
      session.onReborn(() => this.#reborn()),
    ]
    // Everything of a pipe that has ended is refused: so it begins with its first mention where it is made.
    if (creator !== null && (this.#ours || !name.startsWith('~'))) this.#use(creator, 0, true)
  }

  protected override readonly methods: Methods = {
    close: (call) => {
      const [end] = call.args as [End]
      this.#commands.close(end).then(
        () => call.ok(),
        (error: unknown) => call.fail(error as Error),
      )
    },
  }

  override post(session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    this.#use(session, args[0] as End, false)
  }

  override check(): void {
    // A pipe has no shape to disagree on: its handles come from one call of `pipe()`.
  }

  override leave(session: Session): void {
    const process = this.#around.session.processOf(session)
    this.#errands.run(() => this.#commands.reap([process]))
    for (const end of [0, 1] as const) if (this.#users[end] === session) this.#users[end] = null
  }

  override end(reason: Error): void {
    clearTimeout(this.#timer)
    for (const stop of this.#stops) stop()
    for (const inbox of this.#inboxes) inbox.remove?.(reason)
    // That of another program may be there still, and only out of this one's sight.
    const elsewhere = !this.#ours && this.name.startsWith('~')
    if (elsewhere) this.#errands.run(() => this.#commands.reap([this.#around.session.sid]))
    this.#errands.end()
    if (!elsewhere) {
      this.#errands.insist(async () => {
        await this.#commands.destroy()
        // Until then it stays written down as this program's.
        this.#around.owned.remove('pipe', this.name)
      })
    }
    this.#commands.stop()
  }

  #use(session: Session, end: End, make: boolean): void {
    this.#users[end] = session
    this.#errands.run(async () => {
      // Done late, it would take the end from who has used it since, or give it to who has ended.
      if (make || this.#users[end] === session)
        await this.#commands.use(end, this.#around.session.processOf(session), make)
    })
  }

  #look(): void {
    this.#timer = undefined
    for (const inbox of this.#inboxes) inbox.look()
    if (this.#inboxes.some((inbox) => inbox.waiting)) this.#timer = setTimeout(() => this.#look(), this.#around.beat)
  }

  /** The ends of this program's processes are theirs under the new name; whoever waits asks anew. */
  #reborn(): void {
    this.#errands.anew()
    for (const end of [0, 1] as const) {
      const user = this.#users[end]
      if (user !== null) this.#use(user, end, false)
    }
    for (const inbox of this.#inboxes) inbox.reenter()
  }
}
