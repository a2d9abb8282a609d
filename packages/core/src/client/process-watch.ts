/** What this process knows of another one: the news of it, and its end, for all handles and contexts that wait for that. */
import type { ProcessNews } from '../supervisor/broker/process.ts'
import { type Deferred, deferred } from '../util/deferred.ts'
import type { BrokerClient } from './broker-client.ts'
import { Presence } from './presence.ts'

export type Exit = NonNullable<ProcessNews['exit']>

/** Nobody may ever ask for the end of a process; who does hears the error itself, so that it is no unhandled rejection. */
function nobodyAsked(): undefined {
  return undefined
}

export class ProcessWatch extends Presence {
  readonly ended: Deferred<Exit> = deferred()
  news: ProcessNews = { state: 'created', pid: null, host: null, restarts: 0, exit: null }
  /** The same as each context waits for it. */
  readonly #endsFor = new Map<object, Deferred<Exit>>()
  /** Keeps this process alive while the other one runs. */
  #held = false
  readonly #client: BrokerClient
  readonly #number: number

  constructor(client: BrokerClient, number: number) {
    super()
    this.#client = client
    this.#number = number
    this.ended.promise.catch(nobodyAsked)
  }

  override event(name: string, args: readonly unknown[]): void {
    super.event(name, args)
    if (name !== 'news') return
    this.news = args[0] as ProcessNews
    if (this.news.exit === null) return
    this.release()
    this.ended.resolve(this.news.exit)
    // There will be no more news: only the handles keep it now.
    this.#client.forget(this.#number)
  }

  /** Its end, or that of the context that waits for it. */
  endFor(owner: object): Promise<Exit> {
    let end = this.#endsFor.get(owner)
    if (end === undefined) {
      end = deferred()
      this.ended.promise.then(end.resolve, end.reject)
      end.promise.catch(nobodyAsked)
      this.#endsFor.set(owner, end)
    }
    return end.promise
  }

  abandoned(owner: object, reason: Error): void {
    this.#endsFor.get(owner)?.reject(reason)
    this.#endsFor.delete(owner)
  }

  hold(): void {
    if (this.#held || this.news.state === 'ended') return
    this.#held = true
    this.#client.hold()
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    this.#client.release()
  }

  protected override lost(reason: Error): void {
    this.release()
    this.ended.reject(reason)
  }
}
