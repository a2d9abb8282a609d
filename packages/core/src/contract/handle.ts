/** Objects that live at the broker and are reached, from any process, through handles. */

/** The nouns that have handles. */
export type HandleKind =
  | 'process'
  | 'queue'
  | 'pipe'
  | 'lock'
  | 'rlock'
  | 'rwlock'
  | 'election'
  | 'condition'
  | 'semaphore'
  | 'barrier'
  | 'event'
  | 'latch'
  | 'value'
  | 'dict'
  | 'list'
  | 'array'
  | 'topic'

/** What crosses a process in place of a handle. */
export interface HandleRef {
  readonly kind: HandleKind
  /** Given by the user, or `~…` for an anonymous object. */
  readonly name: string
  readonly namespace: string
  /** Which context it belongs to: `local` or a store's identity. */
  readonly scope: string
  /** Of what lives and dies with one program (a process, an object without a name): which program that is. */
  readonly program?: string
  /** What an attaching process must know to speak to the object, such as a pipe's end. */
  readonly shape?: Readonly<Record<string, string | number | boolean>>
}

/** The property under which each handle carries its reference, as `ref` does, for the codec; shared by all copies of this package. */
export const handleRef: unique symbol = Symbol.for('skein.handle') as never

export interface Handle {
  readonly name: string
  readonly ref: HandleRef
  /** Frees the object for everybody. Who waits on it rejects with `StateError`. Resolves when it is gone; again: no-op. */
  destroy(): Promise<void>
}
