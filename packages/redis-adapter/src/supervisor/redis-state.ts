/**
 * An object in Redis whose state is small and on which calls wait, as this program's supervisor has it. What an operation means, and what
 * it means that somebody leaves, is in the noun's script, behind `scripts/_state.lua`; here is what all of them need:
 *
 * - Who must wait stands in one line of all programs, and hears its answer by a message of whoever brought it about. Each beat one of them
 *   asks again, for messages that were lost.
 * - An answer that has changed something stays in Redis until it is confirmed here, so a request may be sent twice, its answer be lost, or
 *   its program lose its session: it is still done once.
 * - Who gives up, dies or is stopped is taken out of the line, and what it was given but has not heard of is taken back. For a dead program
 *   the others do it.
 */
import { ConflictError, StateError } from '@skein/core'
import { BrokerObject, type Call, monotonic, type ObjectKind, type Session } from '@skein/core/adapter'
import { Errands } from './errands.ts'
import { Line } from './line.ts'
import { type Life, type StateAnswer, StateCommands, type StateMode } from './state-commands.ts'
import { type ScriptArgument, type Surround, tagOf } from './surround.ts'
import { Suspects } from './suspects.ts'

export interface StateSpec {
  /** The noun's script, in `scripts/`. */
  readonly script: string
  /** What all who use the object must agree on. */
  readonly shape: string
  /** A process that is stopped loses its place until it goes on, since it would be in the way of others. */
  readonly parks?: boolean
}

export interface Waiting {
  readonly poll: boolean
  /** Without spaces. */
  readonly want?: string | undefined
  readonly args?: readonly ScriptArgument[] | undefined
  /** What the call is answered; throws what it is refused with. */
  readonly answer: (text: string) => unknown
  /** What a poll is answered that finds nothing. */
  readonly none: unknown
}

export abstract class RedisState extends BrokerObject {
  readonly #around: Surround
  readonly #life: Life
  readonly #commands: StateCommands
  readonly #line: Line
  readonly #errands = new Errands()
  /** Answers that were heard, to be confirmed together. */
  #heard: string[] = []
  readonly #suspects: Suspects
  readonly #parks: boolean
  /** Processes that are stopped, as far as that matters here. */
  readonly #stopped = new Set<Session>()
  readonly #stops: readonly (() => void)[]
  #timer: NodeJS.Timeout | undefined
  /** Until when a nameless object that Redis does not know is waited for. */
  #patient = 0
  /** Somebody waits for that. */
  #homeless = false
  #lastSid: string

  /** @param creator the session whose process names the object for the first time here */
  constructor(
    kind: ObjectKind,
    name: string,
    { script, shape, parks = false }: StateSpec,
    around: Surround,
    creator: Session | null,
  ) {
    super(kind, name)
    this.#around = around
    this.#parks = parks
    const maker = name.slice(1, name.lastIndexOf('-'))
    const ours = creator === null || creator.process.id === maker
    this.#life = !name.startsWith('~') ? 'named' : ours ? 'ours' : 'other'
    const { session, store, wakes, deaths, outage } = around
    const commands = new StateCommands(around, { kind, name, script, shape, life: this.#life }, (rid, text) =>
      this.#answered(rid, text),
    )
    this.#commands = commands
    this.#line = new Line({
      rid: (of) => session.rid(of),
      outage,
      giveUp: (rid, _asking, of) => this.#leave([rid], this.#why(of)),
    })
    const reap = (dead: readonly string[]): void => this.#errands.run(() => commands.reap(dead))
    this.#suspects = new Suspects(around, reap)
    this.#stops = [
      wakes.on(tagOf(kind, name), (letter, rest) => this.#woken(letter, rest)),
      wakes.onResubscribed(() => this.#line.wakeAll()),
      store.onConnected(() => this.#again()),
      deaths.onDeath(reap),
      session.onReborn(() => this.#reborn()),
    ]
    this.#lastSid = session.sid
    if (this.#life !== 'ours') return
    around.owned.add(kind, name)
    this.#errands.run(() => commands.make())
  }

  protected override async erase(by: string): Promise<void> {
    await this.#commands.destroy(by)
  }

  /** Its waits have been taken back by now. */
  override leave(session: Session): void {
    this.#stopped.delete(session)
    this.#confirm()
  }

  override suspend(session: Session): void {
    if (!this.#parks) return
    this.#stopped.add(session)
    this.#line.park(session)
  }

  override resume(session: Session): void {
    if (this.#stopped.delete(session)) this.#line.resume(session)
  }

  override end(reason: Error): void {
    clearTimeout(this.#timer)
    for (const stop of this.#stops) stop()
    // A request that crosses the destroying would stand in the line of the next object of this name.
    const { rids } = this.#line
    this.#line.fail(reason)
    this.#confirm()
    this.#errands.end()
    if (this.#life === 'ours') this.#errands.insist(() => this.#erase())
    else if (rids.length > 0) this.#errands.insist(() => this.#commands.leave(rids, reason.message))
  }

  /** Done at once, and once, however often it is sent. */
  protected tell(
    call: Call,
    operation: string,
    args: readonly ScriptArgument[] = [],
    answer?: (text: string) => unknown,
  ): void {
    void this.#once(call, 'do', operation, args, answer)
  }

  protected read(call: Call, operation: string, answer: (text: string) => unknown): void {
    void this.#once(call, 'read', operation, [], answer)
  }

  protected wait(call: Call, operation: string, { poll, want, args, answer, none }: Waiting): void {
    const { id, name, pid, host } = call.session.process
    const holder = JSON.stringify({ process: id, name, pid, host })
    let [mark, last] = ['', '']
    const done = (text: string, kept: boolean): void => {
      if (kept) this.#hear(last)
      settle(call, () => answer(text))
    }
    this.#line.add({
      call,
      poll,
      told: (text) => done(text, true),
      ask: async (rid, how, former) => {
        last = rid
        const mode = how === 'poll' ? how : 'wait'
        const question = { operation, mode, rid, former, mark, want, holder, args } as const
        const answered = await this.#commands.ask(question)
        if (answered.kind === 'answer') return () => done(answered.text, answered.kept)
        if (answered.kind === 'gone' && monotonic() < this.#patient) {
          this.#homeless = true
          return null
        }
        if (answered.kind === 'gone' || answered.kind === 'shape') return () => this.#refuse(call, answered)
        this.#suspects.look(answered.others)
        if (answered.kind === 'none') return () => call.ok(none)
        mark = answered.mark
        return null
      },
    })
    this.#timer ??= setTimeout(() => this.#look(), this.#around.beat)
  }

  /** As `tell`, for what nobody waits for: tried again until it is answered. */
  protected send(session: Session, operation: string, args: readonly ScriptArgument[]): void {
    const rid = this.#around.session.rid(session)
    this.#errands.run(async () => {
      await this.#commands.ask({ operation, mode: 'do', rid, args })
      this.#hear(rid)
    })
  }

  /** What is wrong with the shape that this program thinks the object has. */
  protected conflict(_there: string): ConflictError {
    return new ConflictError(`${this.label} exists with another shape; use the same options or another name`)
  }

  async #once(
    call: Call,
    mode: StateMode,
    operation: string,
    args: readonly ScriptArgument[],
    answer: (text: string) => unknown = () => undefined,
  ): Promise<void> {
    const rid = this.#around.session.rid(call.session)
    let answered: StateAnswer
    try {
      answered = await this.#commands.ask({ operation, mode, rid, args })
    } catch (error) {
      call.fail(error as Error)
      return
    } finally {
      // Also without an answer: nobody asks for it again.
      if (mode === 'do') this.#hear(rid)
    }
    if (answered.kind === 'answer') settle(call, () => answer(answered.text))
    else this.#refuse(call, answered)
  }

  #refuse(call: Call, answered: Exclude<StateAnswer, { kind: 'answer' }>): void {
    const shape = answered.kind === 'shape'
    const why = shape
      ? this.conflict(answered.shape)
      : new StateError(`${this.label} ended with its creator; give it a name to let it live on`)
    call.fail(why)
    // The next mention of its name begins anew.
    if (shape || monotonic() >= this.#patient) queueMicrotask(() => this.remove?.(why))
  }

  #hear(rid: string): void {
    if (this.#heard.push(rid) === 1) queueMicrotask(() => this.#confirm())
  }

  #confirm(): void {
    const rids = this.#heard.splice(0)
    if (rids.length > 0) this.#errands.run(() => this.#commands.confirm(rids))
  }

  #leave(rids: readonly string[], why: string): void {
    this.#errands.run(() => this.#commands.leave(rids, why))
  }

  /** Why a process leaves the line. */
  #why(session: Session): string {
    const { name, pid } = session.process
    const what = session.over ? 'ended' : this.#stopped.has(session) ? 'was stopped for too long' : 'gave up'
    return `process ${name} (pid ${pid}) ${what}`
  }

  #woken(letter: string, rest: string): void {
    if (letter === 'a') {
      const space = rest.indexOf(' ')
      this.#answered(rest.slice(0, space), rest.slice(space + 1))
    } else if (letter === 'x') this.remove?.(new StateError(`${this.label} was destroyed by ${rest}`))
  }

  /** Who has given up meanwhile has sent word of it, behind which Redis has taken the answer back. */
  #answered(rid: string, text: string): void {
    this.#line.tell(rid, text)
  }

  /** Until then it stays written down as this program's. */
  async #erase(): Promise<void> {
    await this.#commands.destroy('its creator')
    this.#around.owned.remove(this.kind, this.name)
  }

  #look(): void {
    this.#timer = undefined
    if (this.#homeless) this.#line.wakeAll()
    else this.#line.look()
    this.#homeless = false
    if (this.#line.length > 0) this.#timer = setTimeout(() => this.#look(), this.#around.beat)
  }

  #again(): void {
    this.#errands.again()
    this.#line.wakeAll()
  }

  /** Known under another name: what was confirmed stays so, who waits asks anew, and only then the rest goes back. */
  #reborn(): void {
    const old = this.#lastSid
    this.#lastSid = this.#around.session.sid
    if (this.#life === 'ours') this.#errands.run(() => this.#commands.make())
    // If Redis came back empty, the creator's program may be about to make it again.
    else if (this.#life === 'other') this.#patient = monotonic() + 2 * this.#around.sessionTtl
    this.#confirm()
    this.#errands.anew()
    this.#line.reenter(this.#stopped)
    this.#errands.run(() => this.#commands.reap([old]))
  }
}

function settle(call: Call, answer: () => unknown): void {
  let value: unknown
  try {
    value = answer()
  } catch (error) {
    call.fail(error as Error)
    return
  }
  call.ok(value)
}
