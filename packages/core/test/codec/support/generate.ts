/** Random values from a seed, of every kind that crosses, with cycles and shared parts. */

/** Mulberry32 (Tommy Ettinger, public domain): the same numbers for the same seed everywhere. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const numbers = [
  0,
  -0,
  1,
  -1,
  31,
  32,
  127,
  128,
  255,
  256,
  65_535,
  65_536,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -32,
  -33,
  -128,
  -129,
]
const oddNumbers = [-32_769, -(2 ** 31), -(2 ** 31) - 1, 0.1, 5e-324, Number.MAX_VALUE, NaN, Infinity, -Infinity]
const texts = [
  '',
  'a',
  '$',
  '__proto__',
  'constructor',
  'toString',
  'length',
  '0',
  '-1',
  'ä',
  '日本',
  '😀',
  '\ud800',
  'x\udc00y',
  '"$":',
  '\0\n"\\',
]
const keys = [...texts, 'id', 'name', 'v', 'hasOwnProperty', 'ref', 'a key with spaces', 'k'.repeat(40)]
const errorTypes = [Error, TypeError, RangeError, SyntaxError, EvalError, URIError, ReferenceError]
const views: readonly (new (buffer: ArrayBuffer) => ArrayBufferView)[] = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  DataView,
]

export class Generator {
  readonly #random: () => number
  readonly #objects: object[] = []

  constructor(seed: number) {
    this.#random = random(seed)
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T
  }

  #text(): string {
    const text = this.#pick(texts)
    return this.#below(8) === 0 ? text.repeat(this.#below(200)) : text
  }

  value(depth = 4): unknown {
    return depth === 0 || this.#below(3) === 0 ? this.#leaf() : this.#container(depth - 1)
  }

  #leaf(): unknown {
    switch (this.#below(14)) {
      case 0:
        return null
      case 1:
        return undefined
      case 2:
        return this.#below(2) === 0
      case 3:
        return BigInt(this.#below(1000)) ** BigInt(this.#below(30)) * (this.#below(2) === 0 ? 1n : -1n)
      case 4:
        return this.#pick(numbers)
      case 5:
        return this.#pick(oddNumbers)
      case 6:
        return new Date(this.#pick([0, -1, 1.7e12, 8.64e15, NaN]))
      case 7: {
        const pattern = new RegExp(this.#pick(['a', '[/]', '\\d+', '']), this.#pick(['', 'g', 'iu', 'dgimsy']))
        pattern.lastIndex = this.#below(5)
        return pattern
      }
      case 8:
        return new URL(this.#pick(['https://example.org/a?b=1#c', 'file:///tmp/x', 'data:,']))
      case 9:
        return this.#bytes()
      case 10:
        return this.#objects.length > 0 ? this.#pick(this.#objects) : null
      default:
        return this.#text()
    }
  }

  #bytes(): object {
    const bytes = Buffer.alloc(this.#below(4) === 0 ? 8 * this.#below(1000) : 8 * this.#below(4))
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.#below(256)
    const own = new Uint8Array(bytes).buffer
    return this.#pick<() => object>([() => bytes, () => own, () => new (this.#pick(views))(own)])()
  }

  #keep<T extends object>(object: T): T {
    this.#objects.push(object)
    return object
  }

  #size(): number {
    return this.#below(10) === 0 ? this.#below(80) : this.#below(5)
  }

  #container(depth: number): unknown {
    switch (this.#below(7)) {
      case 0: {
        const map = this.#keep(new Map())
        for (let i = this.#below(4); i > 0; i--) map.set(this.value(depth), this.value(depth))
        return map
      }
      case 1: {
        const set = this.#keep(new Set())
        for (let i = this.#below(4); i > 0; i--) set.add(this.value(depth))
        return set
      }
      case 2: {
        const bare = this.#keep(Object.create(null) as object)
        this.#fill(bare, depth)
        return bare
      }
      case 3:
        return this.#error(depth)
      case 4:
      case 5: {
        const array: unknown[] = this.#keep([])
        for (let i = this.#size(); i > 0; i--) array.push(this.#below(3) === 0 ? this.value(depth) : this.#leaf())
        if (this.#below(6) === 0) array.length += 2
        if (this.#below(6) === 0) this.#define(array, 'index', this.value(depth))
        return array
      }
      default: {
        const object = this.#keep({})
        this.#fill(object, depth)
        return object
      }
    }
  }

  #fill(object: object, depth: number): void {
    for (let i = this.#size(); i > 0; i--) this.#define(object, this.#pick(keys), this.value(depth))
  }

  #define(object: object, key: string, value: unknown): void {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  }

  #error(depth: number): Error {
    const message = this.#text()
    const error = this.#keep(
      this.#pick<() => Error>([
        () => new (this.#pick(errorTypes))(message),
        () => new AggregateError([], message),
        () => new DOMException(message, this.#pick(['AbortError', 'TimeoutError', 'DataCloneError'])),
      ])(),
    )
    if (this.#below(2) === 0)
      Object.defineProperty(error, 'cause', { value: this.value(depth), writable: true, configurable: true })
    if (this.#below(2) === 0) this.#define(error, 'code', this.#leaf())
    return error
  }
}
