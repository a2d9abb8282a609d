/** A fleet, as its pool has it: frames to and from the broker, which owns the workers. */
import { encode } from '../codec/index.ts'
import type { TargetRef } from '../contract/target.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { assertNotLoadingTarget } from '../target/index.ts'
import type { Chunk, Fleet, FleetEvents, FleetSpec, FleetStats, WorkerLoss } from '../contract/fleet.ts'
import { checkWait, isPoll, timedOut } from '../util/wait.ts'
import { type Frame, op } from '../wire/frame.ts'
import type { BrokerClient } from './broker-client.ts'
import { done, submitHead } from '../wire/chunk-frames.ts'
import type { Home } from './remote-object.ts'
import { Presence } from './presence.ts'
import { surroundings } from './surroundings.ts'

/** So many bytes of a chunk are worth a message of their own. */
const LARGE = 16 * 1024

export class LinkedFleet extends Presence implements Fleet {
  readonly #home: Home
  readonly #broker: BrokerClient
  readonly #number: number
  readonly #events: FleetEvents
  readonly #onEnded: (() => void) | undefined
  #holds = false
  /** As of its end, once all workers have ended. */
  #ended: FleetStats | null = null

  /** @param ended called once, when the last worker has ended: nothing is left to close */
  constructor(home: Home, name: string, spec: FleetSpec, events: FleetEvents, ended?: () => void) {
    assertNotLoadingTarget()
    super()
    this.#home = home
    this.#broker = home.client
    this.#events = events
    this.#onEnded = ended
    const { initializer } = spec
    this.#number = home.client.open(
      'fleet',
      name,
      { ...spec, initializer: initializer === null ? null : encode(initializer), surroundings: surroundings() },
      false,
    )
    home.client.listener(this.#number, () => this)
  }

  get #client(): BrokerClient {
    return this.#home.client
  }

  target(id: number, ref: TargetRef): void {
    this.#client.post(this.#number, 'target', id, encode(ref))
  }

  submit(chunk: Chunk): void {
    this.#client.send(op.submit, this.#number, chunk.id, submitHead(chunk), chunk.payload)
    // A worker begins with it while the next one is encoded.
    if (chunk.payload.length >= LARGE) this.#client.flush()
  }

  cancel(chunks: readonly number[]): void {
    this.#client.post(this.#number, 'cancel', chunks)
  }

  leave(chunks: readonly number[]): void {
    this.#client.post(this.#number, 'leave', chunks)
  }

  keepAlive(on: boolean): void {
    if (this.#holds === on) return
    this.#holds = on
    // Not through the context, which may be closed by now.
    if (on) this.#broker.hold()
    else this.#broker.release()
  }

  close(): void {
    this.#client.post(this.#number, 'close')
  }

  /** Its context closes: nobody will hear of what it works on. */
  abandon(reason: Error): void {
    if (this.#ended === null && this.gone === null) this.lost(reason)
  }

  async terminate(): Promise<void> {
    if (this.#ended !== null || this.gone !== null) return
    await this.#askOfEnd(this.#client.call(this.#number, 'terminate'))
  }

  async join(wait?: WaitOptions): Promise<void> {
    if (this.#ended !== null) return
    const own = checkWait(wait)
    const poll = isPoll(own)
    const what = 'the workers of the pool had not ended'
    const asked = this.#client.call<boolean>(this.#number, 'join', [poll], {
      wait: poll ? { signal: own.signal } : own,
      what,
    })
    if ((await this.#askOfEnd(asked)) === false) throw timedOut(what, own)
  }

  async stats(): Promise<FleetStats> {
    return this.#ended ?? (await this.#askOfEnd(this.#client.call<FleetStats>(this.#number, 'stats'))) ?? this.stats()
  }

  /**
   * The news of the end may be on its way here while the question is on its way there, where the fleet is gone by then. The news comes
   * first, as it left first, and is the answer.
   */
  async #askOfEnd<T>(asked: Promise<T>): Promise<T | undefined> {
    try {
      return await asked
    } catch (error) {
      if (this.#ended !== null) return undefined
      throw error
    }
  }

  frame(frame: Frame): void {
    if (frame.op !== op.done) return
    this.#events.done(frame.b, done.first(frame), done.count(frame), done.outcomes(frame))
  }

  override event(name: string, args: readonly unknown[]): void {
    if (name === 'lost') {
      const [chunk, first, count, loss] = args as [number, number, number, WorkerLoss]
      this.#events.lost(chunk, first, count, loss)
    } else if (name === 'failed') this.lost(args[0] as Error)
    else if (name === 'ended') this.#end(args[0] as FleetStats)
    else super.event(name, args)
  }

  #end(stats: FleetStats): void {
    this.#ended = stats
    // That the object is gone at the broker, which comes next, is no failure: nobody listens any more.
    this.#broker.forget(this.#number)
    this.#onEnded?.()
  }

  protected override lost(error: Error): void {
    this.keepAlive(false)
    this.#events.failed(error)
  }
}
