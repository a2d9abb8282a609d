/** The part of redlock 5.0.0-beta.2 that is used here; the package's own types cannot be found by its export map. */
declare module 'redlock' {
  interface Client {
    eval(text: string, keys: number, args: readonly string[]): Promise<unknown>
    evalsha(sha: string, keys: number, args: readonly string[]): Promise<unknown>
  }

  export interface Votes {
    readonly votesFor: ReadonlySet<object>
    /** Also holds what a master that said no, or nothing, has failed with. */
    readonly votesAgainst: ReadonlyMap<object, Error>
  }

  export interface Settings {
    readonly driftFactor: number
    readonly retryCount: number
  }

  export class ExecutionError extends Error {
    readonly attempts: readonly Promise<Votes>[]
  }

  /** One master answered that the key is not as the operation needs it. */
  export class ResourceLockedError extends Error {}

  export interface Lock {
    readonly resources: string[]
    readonly value: string
    readonly expiration: number
  }

  export default class Redlock {
    constructor(
      clients: Iterable<Client>,
      settings: Partial<Settings>,
      scripts?: Partial<
        Record<
          'acquireScript' | 'extendScript' | 'releaseScript',
          /** A string would be ignored. */ (own: string) => string
        >
      >,
    )
    on(event: 'error', told: (error: Error) => void): this
    acquire(resources: string[], duration: number, settings: Partial<Settings>): Promise<Lock>
    extend(lock: Lock, duration: number, settings: Partial<Settings>): Promise<Lock>
    release(lock: Lock, settings: Partial<Settings>): Promise<unknown>
  }
}
