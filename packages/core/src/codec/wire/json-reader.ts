/** Brings back what `json-writer.ts` wrote, from the tree that `JSON.parse` made of it. Plain containers are filled in place. */
import { ProtocolError } from '../../errors.ts'
import { extensionsByTag } from '../extensions.ts'
import type { Attach } from '../sink.ts'
import { MAX_DEPTH } from './format.ts'

const unmade: unique symbol = Symbol('unmade')
const numbers: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
])

interface Tagged {
  readonly $: unknown
  readonly v?: unknown
}

function malformed(why: string): ProtocolError {
  return new ProtocolError(`An encoded JSON value is malformed: ${why}.`)
}

export class JsonReader {
  readonly #attach: Attach
  readonly #made: unknown[] = []
  #depth = 0

  constructor(attach: Attach) {
    this.#attach = attach
  }

  value(tree: unknown): unknown {
    if (typeof tree !== 'object' || tree === null) return tree
    if (++this.#depth > MAX_DEPTH) throw malformed(`it is nested deeper than ${MAX_DEPTH} levels`)
    const value = this.#container(tree)
    this.#depth--
    return value
  }

  #container(tree: object): unknown {
    if (Array.isArray(tree)) {
      this.#made.push(tree)
      for (let i = 0; i < tree.length; i++) tree[i] = this.value(tree[i])
      return tree
    }
    if (Object.hasOwn(tree, '$')) return this.#tagged(tree as Tagged)
    this.#made.push(tree)
    // Own properties all, so that assigning reaches no setter of the prototype, `__proto__` included.
    const object = tree as Record<string, unknown>
    for (const key of Object.keys(object)) {
      const child = object[key]
      if (typeof child === 'object' && child !== null) object[key] = this.value(child)
    }
    return tree
  }

  #tagged({ $: tag, v }: Tagged): unknown {
    switch (tag) {
      case 'undefined':
        return undefined
      case 'number': {
        const number = numbers.get(v)
        if (number === undefined) throw malformed('a number is unknown')
        return number
      }
      case 'bigint':
        if (typeof v !== 'string' || !/^-?\d+$/.test(v)) throw malformed('a bigint has no digits')
        return BigInt(v)
      case 'ref': {
        const made = typeof v === 'number' ? this.#made[v] : undefined
        if (made === undefined || made === unmade) throw malformed('a reference points nowhere')
        return made
      }
      default:
        return this.#extension(tag, v)
    }
  }

  #extension(tag: unknown, v: unknown): unknown {
    const extension = typeof tag === 'string' ? extensionsByTag.get(tag) : undefined
    if (extension === undefined) throw malformed(`${JSON.stringify(tag)} is the tag of no type`)
    const trees: unknown = extension.single ? [v] : v
    if (!Array.isArray(trees)) throw malformed(`${extension.tag} has no parts`)
    const slot = this.#made.push(unmade) - 1
    const parts: unknown[] = []
    let made: unknown = unmade
    for (const [i, tree] of trees.entries()) {
      if (i === extension.head) made = this.#made[slot] = extension.make(parts, this.#attach)
      parts.push(this.value(tree))
    }
    if (made === unmade) made = this.#made[slot] = extension.make(parts, this.#attach)
    extension.fill?.(made, parts)
    return made
  }
}
