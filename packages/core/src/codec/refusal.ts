/** What cannot cross, where in the value it is, and the sentence that says both. */
import { types } from 'node:util'
import { EncodeError } from '../errors.ts'
import type { Extension } from './sink.ts'

/** Longer paths and keys are cut in the middle, so that a message stays a message. */
const LONGEST_PATH = 200
const LONGEST_KEY = 60

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

/** The part of an extension that is being walked. */
interface PartStep {
  readonly extension: Extension
  readonly parts: readonly unknown[]
  index: number
}

/** One step from a container to a child: array index, property key, or part of an extension. */
export type Step = number | string | PartStep

function clip(text: string, longest: number): string {
  if (text.length <= longest) return text
  const head = Math.ceil(longest * 0.6)
  return `${text.slice(0, head)}…${text.slice(text.length - (longest - head))}`
}

/** `.name`, or `["not a name"]`. */
export function propertySegment(key: string): string {
  const short = clip(key, LONGEST_KEY)
  return identifier.test(key) ? `.${short}` : `[${JSON.stringify(short)}]`
}

function segment(step: Step): string {
  if (typeof step === 'number') return `[${step}]`
  if (typeof step === 'string') return propertySegment(step)
  return step.extension.segment(step.index, step.parts)
}

/** `args[1].onDone` */
export function renderPath(root: string, steps: readonly Step[], depth: number): string {
  let path = root
  for (let i = 0; i < depth; i++) path += segment(steps[i] ?? 0)
  return clip(path, LONGEST_PATH)
}

/** Why something was refused: `is` completes "args[0] …". */
export class Refusal {
  readonly is: string
  /** What to do instead. */
  readonly mend: string | null
  readonly facts: { readonly cause?: unknown }
  constructor(is: string, mend: string | null = null, facts: { readonly cause?: unknown } = {}) {
    this.is = is
    this.mend = mend
    this.facts = facts
  }

  toError(path: string): EncodeError {
    const mend = this.mend === null ? '' : `; ${this.mend}`
    return new EncodeError(`${path} ${this.is} and cannot cross processes${mend}`, this.facts)
  }

  /** What stands in its place where failing is not allowed, inside an error. */
  toText(): string {
    return this.is.startsWith('is ') ? `[${this.is.slice(3)}, which cannot cross processes]` : `[${this.is}]`
  }
}

// Naming never throws, whatever the value's traps and getters do.

const PLAIN = 'pass plain data'

function article(noun: string): string {
  return /^[aeiou]/i.test(noun) ? `an ${noun}` : `a ${noun}`
}

function isNative(type: unknown): boolean {
  return typeof type === 'function' && Function.prototype.toString.call(type).includes('[native code]')
}

/** The name of an object's class; null if it has none that can be read. */
export function className(value: object): { readonly name: string; readonly native: boolean } | null {
  try {
    const proto: unknown = Object.getPrototypeOf(value)
    if (typeof proto !== 'object' || proto === null) return null
    const type: unknown = Object.hasOwn(proto, 'constructor') ? Reflect.get(proto, 'constructor') : null
    if (typeof type !== 'function' || typeof type.name !== 'string' || type.name === '') return null
    return { name: type.name, native: isNative(type) }
  } catch {
    // A trap or getter of the value threw: then it has no readable name, which is the answer.
    return null
  }
}

/** An object that is none of the kinds that cross. */
export function refuseObject(value: object): Refusal {
  if (types.isPromise(value)) return new Refusal('is a Promise', 'await it first')
  if (types.isSharedArrayBuffer(value)) return new Refusal('is a SharedArrayBuffer')
  if (types.isModuleNamespaceObject(value)) return new Refusal('is a module', PLAIN)
  if (types.isArgumentsObject(value)) return new Refusal('is an arguments object', 'pass [...arguments]')
  const type = className(value)
  if (type === null || type.name === 'Object') {
    return new Refusal('is an object with a prototype of its own', PLAIN)
  }
  return type.native ? new Refusal(`is ${article(type.name)}`) : new Refusal(`is an instance of ${type.name}`, PLAIN)
}

/** A value whose getter, trap or internal slot threw when it was read. */
export function refuseUnreadable(cause: unknown): Refusal {
  return new Refusal('could not be read', null, { cause })
}
