/**
 * The one walk over a value that is to cross processes. It decides what may cross and tells a sink what it meets. What it checked
 * is what it writes, without a second look, so getters and proxies that answer differently each time gain nothing.
 *
 * Getters of plain objects are read, as spreading them would. Non-enumerable properties of plain objects do not cross.
 */
import { inspect, types } from 'node:util'
import { EncodeError, SkeinError } from '../errors.ts'
import { type HandleRef, handleRef } from '../contract/handle.ts'
import { Bytes } from './bytes.ts'
import { extensionOf, handleExtension, objectExtension, refuseSymbolKeys, sparseExtension } from './extensions.ts'
import { Refusal, refuseObject, refuseUnreadable, renderPath } from './refusal.ts'
import type { Step } from './refusal.ts'
import type { Admit, Extension, NumberRun, Sink } from './sink.ts'
import { MAX_DEPTH, isStackOverflow } from './wire/format.ts'

const plainPrototype: object = Object.prototype
const arrayPrototype: object = Array.prototype

/** Up to here `Object.keys` is the fastest way to see that an array is dense and has nothing but elements. */
const SMALL_ARRAY = 32
const onlyElements = /^\[ \.\.\. \d+ more items? \]$/
const elementsAside = {
  maxArrayLength: 0,
  depth: 0,
  customInspect: false,
  showProxy: false,
  breakLength: Infinity,
} as const

/** Whether nothing would be lost by writing the elements 0 … length−1 alone. */
function isDense(array: readonly unknown[]): boolean {
  const { length } = array
  if (length > SMALL_ARRAY && !types.isProxy(array)) {
    // Listing the keys of 100,000 elements takes 4 ms. `inspect` is the one public way to ask for the properties beside them,
    // and takes 1 µs at any length; should its wording change, the exact way below answers.
    if (onlyElements.test(inspect(array, elementsAside))) {
      for (let i = 0; i < length; i++) if (array[i] === undefined && !(i in array)) return false
      return true
    }
  }
  const keys = Object.keys(array)
  return keys.length === length && (length === 0 || keys[length - 1] === String(length - 1))
}

/** A refusal on its way from where it was found to the value's place. */
function refusalOf(thrown: unknown): Refusal {
  return thrown instanceof Refusal ? thrown : refuseUnreadable(thrown)
}

/**
 * Tells `sink` what `value` consists of.
 *
 * @param path what messages call the value
 * @param admit looks at each handle; `null`: all are admitted
 * @throws EncodeError with the path to what cannot cross
 */
export function walk(value: unknown, sink: Sink, path: string, admit: Admit | null): void {
  try {
    new Walk(sink, path, admit).value(value)
  } catch (error) {
    if (!isStackOverflow(error)) throw error
    throw new EncodeError(`${path} is nested too deeply for the stack that is left here and cannot cross processes`)
  }
}

class Walk {
  readonly #sink: Sink
  readonly #root: string
  readonly #admit: Admit | null
  readonly #steps: Step[] = []
  #depth = 0
  /** Objects in the order in which they were written; a second meeting becomes a reference. */
  #seen: Map<object, number> | null = null
  /** Above 0: inside an error, where nothing may fail. */
  #lenient = 0

  constructor(sink: Sink, root: string, admit: Admit | null) {
    this.#sink = sink
    this.#root = root
    this.#admit = admit
  }

  value(value: unknown): void {
    switch (typeof value) {
      case 'number':
        return this.#sink.number(value)
      case 'string':
        return this.#sink.string(value)
      case 'boolean':
        return this.#sink.boolean(value)
      case 'undefined':
        return this.#sink.undefined()
      case 'bigint':
        return this.#sink.bigint(value)
      case 'object':
        return value === null ? this.#sink.null() : this.#object(value)
      default:
        this.#refuse(new Refusal(`is a ${typeof value}`))
    }
  }

  #object(value: object): void {
    const index = this.#seen?.get(value)
    if (index !== undefined) return this.#sink.reference(index)
    if (this.#depth >= MAX_DEPTH) {
      return this.#refuse(new Refusal(`is nested deeper than ${MAX_DEPTH} levels`))
    }
    const extension = this.#classify(value)
    if (extension === undefined) return
    if (extension !== null) this.#parts(extension, value)
    else if (Array.isArray(value)) this.#elements(value)
    else this.#properties(value)
  }

  /** How an object must be written: null for an array or plain object just as it is, undefined if it was refused. */
  #classify(value: object): Extension | null | undefined {
    try {
      const proto: unknown = Object.getPrototypeOf(value)
      if (proto === plainPrototype && !Array.isArray(value)) return this.#classifyPlain(value)
      if (proto === arrayPrototype && Array.isArray(value)) {
        if (this.#lenient === 0) refuseSymbolKeys(value)
        return isDense(value) ? null : sparseExtension
      }
      const extension = extensionOf(value, proto as object | null)
      if (extension !== null) return extension
    } catch (thrown) {
      this.#refuse(refusalOf(thrown))
      return undefined
    }
    this.#refuse(refuseObject(value))
    return undefined
  }

  #classifyPlain(value: object): Extension | null {
    const symbols = Object.getOwnPropertySymbols(value)
    if (symbols.length > 0) {
      if (handleRef in value) return handleExtension
      // `Math`, `arguments` and their like look plain but for this.
      if (symbols.includes(Symbol.toStringTag) || types.isArgumentsObject(value)) throw refuseObject(value)
      if (this.#lenient === 0) refuseSymbolKeys(value)
    }
    return this.#sink.reservesDollar && Object.hasOwn(value, '$') ? objectExtension : null
  }

  /** Numbers the container. @returns the level of its children's steps */
  #enter(value: object): number {
    const seen = (this.#seen ??= new Map())
    seen.set(value, seen.size)
    return this.#depth++
  }

  #elements(array: readonly unknown[]): void {
    const sink = this.#sink
    const level = this.#enter(array)
    const { length } = array
    sink.openArray(length)
    const run: NumberRun | null =
      length > SMALL_ARRAY && sink.numbers !== undefined ? { array, length, at: 0, stop: null, other: undefined } : null
    for (let i = 0; i < length; i++) {
      let element: unknown
      try {
        element = array[i]
      } catch (cause) {
        this.#steps[level] = i
        this.#refuse(refuseUnreadable(cause))
        continue
      }
      if (typeof element !== 'number') {
        this.#steps[level] = i
        this.value(element)
      } else {
        sink.number(element)
        if (run !== null) i = this.#numbers(run, i + 1, level)
      }
    }
    this.#depth--
    sink.closeArray?.()
  }

  /** Writes the numbers that stand in a row from index `from` on, and what ends the row; the last index that is written. */
  #numbers(run: NumberRun, from: number, level: number): number {
    run.at = from
    while (run.at < run.length && run.stop === null) this.#sink.numbers?.(run)
    const { stop, at, other } = run
    if (stop === null) return at - 1
    run.stop = null
    this.#steps[level] = at
    if (stop === 'not a number') this.value(other)
    else this.#refuse(refuseUnreadable(other))
    return at
  }

  #properties(object: object): void {
    const sink = this.#sink
    let keys: readonly string[]
    try {
      keys = Object.keys(object)
    } catch (cause) {
      return this.#refuse(refuseUnreadable(cause))
    }
    const level = this.#enter(object)
    sink.openObject(keys.length)
    for (const key of keys) {
      this.#steps[level] = key
      sink.key(key)
      let property: unknown
      try {
        property = (object as Readonly<Record<string, unknown>>)[key]
      } catch (cause) {
        this.#refuse(refuseUnreadable(cause))
        continue
      }
      this.value(property)
    }
    this.#depth--
    sink.closeObject?.()
  }

  #parts(extension: Extension, value: object): void {
    const sink = this.#sink
    let parts: readonly unknown[]
    try {
      parts = extension.parts(value, sink.readable)
      if (extension === handleExtension) this.#admit?.(parts[0] as HandleRef)
    } catch (thrown) {
      // A handle that says why it cannot be passed knows better than we do.
      if (extension === handleExtension && thrown instanceof SkeinError && this.#lenient === 0) throw thrown
      return this.#refuse(refusalOf(thrown))
    }
    const step = { extension, parts, index: 0 }
    const level = this.#enter(value)
    this.#steps[level] = step
    if (extension.lenient === true) this.#lenient++
    sink.openTag(extension, parts.length)
    for (let i = 0; i < parts.length; i++) {
      step.index = i
      const part = parts[i]
      if (part instanceof Bytes) sink.bytes(part.view)
      else this.value(part)
    }
    this.#depth--
    sink.closeTag?.(extension)
    if (extension.lenient === true) this.#lenient--
  }

  #refuse(refusal: Refusal): void {
    if (this.#lenient === 0) throw refusal.toError(renderPath(this.#root, this.#steps, this.#depth))
    this.#sink.string(refusal.toText())
  }
}
