/** Servers that their adapter describes by more than urls: what `redis(…)` of `@skein/redis-adapter` gives to `connect()`. */

/** The property by which `connect()` knows a store, shared by all copies of this package. */
export const storeParts: unique symbol = Symbol.for('skein.store') as never

export interface StoreParts {
  /** One or more, with their secrets. */
  readonly urls: readonly string[]
  /** They are independent servers, on a majority of which locks are taken. */
  readonly quorum: boolean
  /** For the adapter: what the urls do not say. Whatever a message to a thread may carry. */
  readonly details: unknown
}

/** Opaque, so that nothing prints the secrets in it. */
export interface Store {
  readonly [storeParts]: () => StoreParts
}
