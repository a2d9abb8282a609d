/** What a process or a pool runs: a function named by reference, as Python's pickle does. */

/** An exported function. Closures are refused when they are started. */
export type Target<A extends unknown[], R> = (...args: A) => R | PromiseLike<R>

/** The functions among a module's exports. */
export type Targets<M extends object> = {
  readonly [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K]
}

/** A function's name, as it crosses processes. Only the receiver resolves it. */
export interface TargetRef {
  /** Portable module id: package name and path inside it, without extension. */
  readonly module: string
  /** Export name; `default` is one. Of a task its id. */
  readonly export: string
  /** It was made by `task()`, which is called when its module is loaded. */
  readonly task?: true
  /** `file:line:column` of the definition as this process sees it: for messages, and to tell a namesake apart. */
  readonly source?: string
  /** Short SHA-256 of the module's file: tells whether another machine has other code. */
  readonly digest?: string
  /** Absolute file URL: the short way where the receiver is on this machine. */
  readonly url?: string
  /** Another version of the module will do, where there is no other: it runs, and its process warns. */
  readonly onDrift?: 'warn'
  /** Opaque: tells the function from a namesake. */
  readonly identity?: string
  /** Arguments that `bind` put in front. */
  readonly bound?: readonly unknown[]
}
