/**
 * A pool's workers whose chunks come through Redis: what was submitted in one turn goes as one job, and reaches the workers when that
 * job has come back.
 */
import { encode, encodeThrown, type Frame, FleetObject, type FleetObjectSpec, op } from '@skein/core/adapter'
import { OutcomeWriter, reportHead, type Session, type Starter, submitCount } from '@skein/core/adapter'
import type { Call, FleetStats } from '@skein/core/adapter'
import type { Surround } from '../surround.ts'
import { Bundle, KeptChunk } from './bundle.ts'
import { type OpenQueue, WorkLine } from './work-line.ts'

/** A post that must not overtake the chunks before it. */
interface Closing {
  readonly session: Session
  readonly object: number
}

export class RedisFleet extends FleetObject {
  readonly #line: WorkLine
  /** Not with the workers yet. */
  readonly #chunks = new Map<number, KeptChunk>()
  #bundle: Bundle | null = null
  #closing: Closing | null = null
  #over = false

  constructor(
    name: string,
    spec: FleetObjectSpec,
    owner: Session,
    starter: Starter,
    around: Surround,
    open: OpenQueue,
  ) {
    super(name, spec, owner, starter)
    let lives = 0
    const nextName = (): string => {
      lives += 1
      // The old one is being deleted, by ourselves or by whoever sweeps up after the session that made it.
      return lives === 1 ? name : `${name}.${lives}`
    }
    this.#line = new WorkLine(around, 'pool', nextName, open)
  }

  override frame(session: Session, frame: Frame): void {
    if (frame.op !== op.submit) {
      super.frame(session, frame)
      return
    }
    if (this.#over) return
    const chunk = new KeptChunk(frame)
    this.#chunks.set(chunk.b, chunk)
    if (this.#bundle === null) {
      this.#bundle = new Bundle()
      // After the frames that came together with this one.
      queueMicrotask(() => this.#flush(session))
    }
    this.#bundle.add(chunk)
    if (this.#bundle.full) this.#flush(session)
  }

  override post(session: Session, object: number, method: string, args: readonly unknown[]): void {
    if (method === 'cancel' || method === 'leave') {
      const [ids] = args as [readonly number[]]
      super.post(session, object, method, [ids.filter((id) => !this.#cancel(id))])
    } else if (method === 'close' && this.#chunks.size > 0) this.#closing = { session, object }
    else super.post(session, object, method, args)
  }

  override call(method: string, call: Call): void {
    if (method === 'terminate') this.#drop()
    super.call(method, call)
  }

  override end(): void {
    this.#drop()
    super.end()
  }

  /** What is on its way through Redis waits, too. */
  protected override stats(): FleetStats {
    const known = super.stats()
    let { waiting } = known
    for (const chunk of this.#chunks.values()) if (!chunk.cancelled) waiting += submitCount(chunk)
    return { ...known, waiting }
  }

  #flush(session: Session): void {
    const bundle = this.#bundle
    this.#bundle = null
    if (bundle === null || this.#over) return
    this.#line.send({
      json: bundle.toJson(submitCount),
      taken: () => this.#settle(bundle, (chunk) => super.frame(session, chunk)),
      refused: (error) => this.#settle(bundle, (chunk) => refuse(session, chunk, error)),
    })
  }

  #settle(bundle: Bundle, settle: (chunk: KeptChunk) => void): void {
    if (this.#over) return
    for (const chunk of bundle.chunks) {
      this.#chunks.delete(chunk.b)
      if (!chunk.cancelled) settle(chunk)
    }
    const closing = this.#closing
    if (closing === null || this.#chunks.size > 0) return
    this.#closing = null
    super.post(closing.session, closing.object, 'close', [])
  }

  /** @returns whether the chunk was still on its way */
  #cancel(id: number): boolean {
    const chunk = this.#chunks.get(id)
    if (chunk !== undefined) chunk.cancelled = true
    return chunk !== undefined
  }

  #drop(): void {
    if (this.#over) return
    this.#over = true
    this.#bundle = null
    this.#chunks.clear()
    void this.#line.close()
  }
}

/** All tasks of a chunk reject with this. */
function refuse(session: Session, chunk: KeptChunk, error: Error): void {
  const count = submitCount(chunk)
  const outcomes = new OutcomeWriter({ encode, encodeFailure: encodeThrown })
  outcomes.rejected(error, count)
  // A `done` is a `report` without its first field.
  const head = Buffer.from(reportHead(0, 0, count).subarray(4))
  session.send(op.done, chunk.a, chunk.b, head, outcomes.take())
}
