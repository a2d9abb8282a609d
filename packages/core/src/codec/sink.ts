/**
 * What a walk over a value tells a wire: one call per node, containers announced with their size before their children
 * (a wire that needs no more than that leaves the closing calls out).
 * The two wires are `wire/binary-writer.ts` and `wire/json-writer.ts`.
 */
import type { Handle, HandleRef } from '../contract/handle.ts'

/** A built-in or Skein type that plain data cannot express: how it comes apart, and how it is put together again. */
export interface Extension {
  /** Name on the JSON wire. */
  readonly tag: string
  /** Number on the binary wire; 16 … 255, never used again for another meaning. */
  readonly code: number
  /** Always exactly one part, which is then written without an array around it. */
  readonly single: boolean
  /** So many leading parts are needed to make the object; the others may refer to it, which is how cycles come back. */
  readonly head: number
  /**
   * What the value consists of: values that are walked in their turn, or `Bytes` (see `bytes.ts`).
   * Everything is read here, before anything is written, so a refusal leaves nothing half written.
   */
  parts(value: object, readable: boolean): readonly unknown[]
  /** How a refusal's path names part `index`. */
  segment(index: number, parts: readonly unknown[]): string
  /** Makes the object from its leading parts. */
  make(head: readonly unknown[], attach: Attach): unknown
  /** Puts the other parts in. */
  fill?(made: unknown, parts: readonly unknown[]): void
  /** Parts that cannot cross are replaced by a string that describes them instead of failing the whole value. */
  readonly lenient?: boolean
}

/** From a decoded, checked reference to the live handle. What it throws passes through `decode` unchanged. */
export type Attach = (ref: HandleRef) => Handle

/** Looks at the reference of a handle before it is written. What it throws passes through `encode` unchanged. */
export type Admit = (ref: HandleRef) => void

/** Numbers in a row within an array, on their way into a sink. */
export interface NumberRun {
  readonly array: readonly unknown[]
  readonly length: number
  /** The next index to be read; where the sink stopped, the one at which it did. */
  at: number
  /** Why it stopped, if it did. */
  stop: 'not a number' | 'not readable' | null
  /** What was read there, which is not to be read again since it may come from a getter; or what was thrown instead. */
  other: unknown
}

export interface Sink {
  /** Made for people's eyes: prefers text such as ISO dates over numbers. */
  readonly readable: boolean
  /** An own key `$` would be taken for a tag, so such an object must be written as the `object` extension. */
  readonly reservesDollar: boolean
  null(): void
  undefined(): void
  boolean(value: boolean): void
  number(value: number): void
  /** Writes elements from `run.at` on as `number` would, no further than to the first that is none; it may end earlier. */
  numbers?(run: NumberRun): void
  bigint(value: bigint): void
  string(value: string): void
  bytes(value: Uint8Array): void
  openArray(length: number): void
  closeArray?(): void
  openObject(size: number): void
  key(key: string): void
  closeObject?(): void
  openTag(extension: Extension, parts: number): void
  closeTag?(extension: Extension): void
  /** The object that was the `index`th (from 0) to be written, once more. */
  reference(index: number): void
}
