/**
 * Where a function was defined, asked from V8 through an in-process inspector session.
 *
 * JavaScript gives a function no name of its module; the debugger's `[[FunctionLocation]]` does. It is an inspector detail and
 * not a documented interface of Node, so it is kept in this one file. It leaves out what the place means: see `definition.ts`.
 */
import type { Session } from 'node:inspector'

/** A place in a script as V8 runs it, that is after any transformation. Lines and columns count from 0. */
export interface ScriptPlace {
  readonly scriptId: string
  readonly line: number
  readonly column: number
  /** It uses variables of a function or block around it. `false` also where that cannot be seen. */
  readonly closure: boolean
}

export interface Script {
  /** As V8 knows it: a file URL for files, whatever loaded them. */
  readonly url: string
  /** URL of its source map, often a whole `data:` URL; empty: none. */
  readonly sourceMap: string
}

/** Why a function has no place: there is no inspector here, or the function has no JavaScript source. */
export type Unlocated = 'no-inspector' | 'bound' | 'native'

interface RemoteValue {
  readonly description?: string
  readonly objectId?: string
  readonly value?: unknown
}
interface RemoteProperty {
  readonly name: string
  readonly value?: RemoteValue
}
interface RemoteProperties {
  readonly result: readonly RemoteProperty[]
  readonly internalProperties?: readonly RemoteProperty[]
}
interface Place {
  readonly scriptId: string
  readonly lineNumber: number
  readonly columnNumber?: number
}

// The function is handed to the inspector through `process`, the one object that all vm contexts of a thread share.
const HAND_OVER = Symbol.for('skein.locate')
const HAND_OVER_EXPRESSION = "process[Symbol.for('skein.locate')]"

const scripts = new Map<string, Script>()

/** Opens a session, or gives `null` where Node was built without an inspector or `--permission` forbids it. */
function openSession(): Session | null {
  const inspector = process.getBuiltinModule('node:inspector') as typeof import('node:inspector') | undefined
  if (inspector === undefined) return null
  const session = new inspector.Session()
  try {
    session.connect()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED') return null
    throw error
  }
  return session
}

/** In-process sessions answer before `post` returns. */
function ask(session: Session, method: string, params: object): object {
  let answer: object | undefined
  let failure: Error | null = null
  session.post(method, params, (error: Error | null, result?: object) => {
    failure = error
    answer = result ?? {}
  })
  if (failure !== null) throw failure
  if (answer === undefined) throw new Error(`The inspector did not answer ${method}.`)
  return answer
}

function propertiesOf(session: Session, objectId: string): RemoteProperties {
  return ask(session, 'Runtime.getProperties', { objectId, ownProperties: true }) as RemoteProperties
}

/**
 * Scopes come innermost first: those of a plain function are `Module`, `Global`. What stands in front of `Module` is captured.
 * Where the loader wraps a module into a function (CommonJS, vitest) one or two nameless scopes are the module itself, so only
 * the scope of a function with a name counts there.
 */
function isClosure(session: Session, scopes: RemoteValue | undefined): boolean {
  if (scopes?.objectId === undefined) return false
  const chain = propertiesOf(session, scopes.objectId).result.map((scope) => scope.value?.description ?? '')
  const base = chain.indexOf('Module')
  return base === -1 ? chain.some((scope) => scope.startsWith('Closure (')) : base > 0
}

/** The place of `fn` in its script, in well under a millisecond: no script is looked at. */
export function locateFunction(fn: object): ScriptPlace | Unlocated {
  const session = openSession()
  if (session === null) return 'no-inspector'
  try {
    Reflect.set(process, HAND_OVER, fn)
    const evaluation = { expression: HAND_OVER_EXPRESSION, silent: true }
    const { result } = ask(session, 'Runtime.evaluate', evaluation) as { readonly result: RemoteValue }
    if (result.objectId === undefined) return 'native'
    const internal = propertiesOf(session, result.objectId).internalProperties ?? []
    const find = (name: string): RemoteValue | undefined => internal.find((property) => property.name === name)?.value
    const place = find('[[FunctionLocation]]')?.value as Place | undefined
    if (place === undefined) return find('[[TargetFunction]]') === undefined ? 'native' : 'bound'
    const closure = isClosure(session, find('[[Scopes]]'))
    return { scriptId: place.scriptId, line: place.lineNumber, column: place.columnNumber ?? 0, closure }
  } finally {
    Reflect.deleteProperty(process, HAND_OVER)
    session.disconnect()
  }
}

/**
 * The script that a place is in. Only the debugger tells, and it lists all scripts when it is switched on: 25 to 50 ms the first
 * time, 2 to 10 ms when a script is asked for that was not there before. Nothing is slower afterwards.
 */
export function scriptOf(scriptId: string): Script {
  const known = scripts.get(scriptId)
  if (known !== undefined) return known
  const session = openSession()
  if (session === null) return { url: '', sourceMap: '' }
  session.on('Debugger.scriptParsed', ({ params }) => {
    const { url, sourceMapURL = '' } = params
    // Maps are large, so only the wanted one is kept; scripts without one are noted on the way.
    if (params.scriptId === scriptId || sourceMapURL === '')
      scripts.set(params.scriptId, { url, sourceMap: sourceMapURL })
  })
  try {
    ask(session, 'Debugger.enable', {})
  } finally {
    session.disconnect()
  }
  return scripts.get(scriptId) ?? { url: '', sourceMap: '' }
}
