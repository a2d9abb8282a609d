/** Whether a pool takes calls, and when its workers may end. */
import type { WaitOptions } from '../contract/wait.ts'
import { PoolClosedError, PoolTerminatedError, StateError } from '../errors.ts'
import { deferred } from '../util/deferred.ts'
import { waitFor } from '../util/wait.ts'
import type { ResultStream } from './result-stream.ts'
import { TaskTable, type TableDeps } from './task-table.ts'

export class PoolLife {
  readonly tasks: TaskTable
  /** Iterations that may still submit something. */
  readonly #streams = new Set<ResultStream>()
  #state: 'open' | 'closed' | 'terminated' = 'open'
  /** Why the fleet as a whole cannot work. */
  #failure: { readonly error: Error } | null = null
  /** Resolves when the fleet was told that no more chunks come. */
  readonly #fleetClosing = deferred()
  #fleetClosed = false
  #terminated: Promise<void> | null = null

  constructor(deps: Omit<TableDeps, 'onIdle' | 'onFailed'>) {
    this.tasks = new TaskTable({
      ...deps,
      onIdle: () => this.#closeIdleFleet(),
      onFailed: (error) => {
        this.#failure ??= { error }
        this.#endStreams(error)
      },
    })
  }

  /** @throws PoolClosedError */
  checkOpen(): void {
    if (this.#state === 'open') return
    throw new PoolClosedError(`the pool was ${this.#state} and takes no more tasks; make a new one`)
  }

  /** Throws why no task could run now, however right the call is. */
  checkReady(signal: AbortSignal | undefined): void {
    const obstacle = this.obstacle(signal)
    if (obstacle !== null) throw obstacle.error
  }

  /** Why no task could run now, however right the call is. */
  obstacle(signal: AbortSignal | undefined): { readonly error: unknown } | null {
    if (this.#failure !== null) return this.#failure
    return signal?.aborted === true ? { error: signal.reason } : null
  }

  add(stream: ResultStream): void {
    this.#streams.add(stream)
  }

  /** It will submit nothing more. */
  fed(stream: ResultStream): void {
    if (this.#streams.delete(stream) && this.tasks.idle) this.#closeIdleFleet()
  }

  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    if (this.tasks.idle) this.#closeIdleFleet()
  }

  terminate(): Promise<void> {
    if (this.#terminated === null) {
      this.#state = 'terminated'
      this.#terminated = this.tasks.fleet.terminate()
      this.#fleetClosing.resolve()
      const error = new PoolTerminatedError('the pool was terminated before this result was there')
      this.#endStreams(error)
      this.tasks.abandonAll(error)
    }
    return this.#terminated
  }

  /** @param wait checked */
  async join(wait: WaitOptions): Promise<void> {
    if (this.#state === 'open') {
      throw new StateError(
        'join() was called on an open pool, whose workers never end; call close() or terminate() first',
      )
    }
    wait.signal?.throwIfAborted()
    for (const stream of this.#streams) stream.cut()
    await waitFor(this.#workersEnded(), wait, 'the workers of the pool had not ended')
  }

  #endStreams(error: unknown): void {
    for (const stream of this.#streams) stream.abandon(error)
  }

  /** A lost task that is to run again needs an open fleet, so it hears of the close only when nothing is outstanding. */
  #closeIdleFleet(): void {
    if (this.#state !== 'closed' || this.#fleetClosed || this.#streams.size > 0) return
    this.#fleetClosed = true
    this.tasks.fleet.close()
    this.#fleetClosing.resolve()
  }

  async #workersEnded(): Promise<void> {
    await this.#fleetClosing.promise
    await this.tasks.fleet.join()
  }
}
