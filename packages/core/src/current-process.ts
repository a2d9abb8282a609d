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

interface Registry {
  child: ChildIdentity | null
  context: Context | null
  end: AbortController | null
}

const CHILD = Symbol.for('skein.child')
const REGISTRY = Symbol.for('skein.process')

function registry(): Registry {
  const known: unknown = Reflect.get(process, REGISTRY)
  // Only this function writes the property, in whichever copy of the package.
  if (known !== undefined) return known as Registry
  const made: Registry = { child: null, context: null, end: null }
  Reflect.set(process, REGISTRY, made)
  return made
}

/** `false` in a process that Skein has started: guard with it what only the main program should do. */
export const isMainProcess: boolean = !(CHILD in process)

/** This process's id, which no other process ever had. */
const mainId = `${process.pid.toString(36)}${Date.now().toString(36)}`

export function currentProcess(): CurrentProcess {
  const { child, context } = registry()
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

/** Makes this process a child, or notes the main program's first context. */
export function identify(context: Context | null, child?: ChildIdentity): void {
  const known = registry()
  known.context = context
  if (child !== undefined) known.child = child
}

/** Whether SIGTERM has come and the program's code knows of it. */
export function isEnding(): boolean {
  return registry().end?.signal.aborted === true
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
  if (known.child !== null) {
    process.on('SIGTERM', () => {
      end.abort(new DOMException(`${known.child?.name ?? 'this process'} was asked to end by SIGTERM`, 'AbortError'))
    })
  }
  return end.signal
}
