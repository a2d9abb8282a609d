/** Which process this is. Kept on `process`, so that two copies of this package in one process agree. */
import { hostname } from 'node:os'
import type { Context, CurrentProcess } from './contract/context.ts'

/** What the entry of a child knows and tells once. */
export interface ChildIdentity {
  readonly id: string
  readonly name: string
  readonly daemon: boolean
  readonly parent: NonNullable<CurrentProcess['parent']>
}

/** The context that a child is given at its start. */
export interface ChildHome {
  readonly namespace: string
  /** Names what its program connects to; see place.ts. */
  readonly place: string
  /** What it had is gone for good; whoever connects again does so by itself. */
  readonly lost: boolean
  /** It, or a fresh one of the same kind once the program has closed it. */
  context(): Context
}

interface Registry {
  child: ChildIdentity | null
  home: ChildHome | null
  /** The open ones, oldest first. In a child only those of its home. */
  readonly contexts: Set<Context>
  end: AbortController | null
  endedBy: NodeJS.Signals | null
  serial: number
}

const CHILD = Symbol.for('skein.child')
const REGISTRY = Symbol.for('skein.process')

function registry(): Registry {
  const known: unknown = Reflect.get(process, REGISTRY)
  // Only this function writes the property, in whichever copy of the package.
  if (known !== undefined) return known as Registry
  const made: Registry = { child: null, home: null, contexts: new Set(), end: null, endedBy: null, serial: 0 }
  Reflect.set(process, REGISTRY, made)
  return made
}

/** `false` in a process that Skein has started: guard with it what only the main program should do. */
export const isMainProcess: boolean = !(CHILD in process)

/** This process's id, which no other process ever had. */
const mainId = `${process.pid.toString(36)}${Date.now().toString(36)}`

/** Its `context` is the first that is still open, or null: the main program may open several and close them in any order. */
export function currentProcess(): CurrentProcess {
  const { child, contexts } = registry()
  const [context = null] = contexts
  return {
    id: child?.id ?? mainId,
    name: child?.name ?? 'main',
    pid: process.pid,
    host: hostname(),
    daemon: child?.daemon ?? false,
    parent: child?.parent ?? null,
    context,
    get signal() {
      return endSignal()
    },
  }
}

/** Makes this process a child. */
export function identify(child: ChildIdentity, home: ChildHome): void {
  Object.assign(registry(), { child, home })
}

/** Its program is gone: what it connects to from now on is its own. */
export function leaveHome(): void {
  const known = registry()
  known.home = null
  known.contexts.clear()
}

/** `null` in a main program. */
export function childHome(): ChildHome | null {
  return registry().home
}

export function noteOpen(context: Context): void {
  registry().contexts.add(context)
}

/** From the first call of `close()` on. */
export function noteClosed(context: Context): void {
  registry().contexts.delete(context)
}

/** Numbers up to this one are taken. */
export function serialFrom(last: number): void {
  registry().serial = last
}

/** Makes the names of anonymous objects and the ids of processes unique in this process, whatever is closed and opened in between. */
export function nextSerial(): number {
  const known = registry()
  known.serial += 1
  return known.serial
}

/** The signal by which this process was asked to end, if the program's code knows of it. */
export function endingBy(): NodeJS.Signals | null {
  return registry().endedBy
}

/** This child was asked to end by a signal: aborts what its code looks at. `false`: it has never looked. */
export function askToEnd(by: 'SIGTERM' | 'SIGINT'): boolean {
  const known = registry()
  if (known.end === null) return false
  known.endedBy ??= by
  const name = known.child?.name ?? 'this process'
  known.end.abort(new DOMException(`${name} was asked to end by ${by}`, 'AbortError'))
  return true
}

/**
 * Looking at the signal is what makes SIGTERM an abort. Without a listener the operating system ends the process at once, even
 * in the middle of a busy loop, which is right for code that would not have noticed.
 */
function endSignal(): AbortSignal {
  const known = registry()
  if (known.end !== null) return known.end.signal
  const end = new AbortController()
  known.end = end
  if (known.child !== null) process.on('SIGTERM', () => askToEnd('SIGTERM'))
  return end.signal
}
