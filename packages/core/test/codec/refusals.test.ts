import { constants, runInThisContext } from 'node:vm'
import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { EncodeError } from '../../src/errors.ts'
import { wires } from './support/wires.ts'
import type { Wire } from './support/wires.ts'

class User {
  readonly name = 'Ada'
}
class Members extends Map<string, User> {}
class List extends Array<number> {}
class Stamp extends Date {}
class Bytes extends Uint8Array {}

function refusal(wire: Wire, value: unknown, path = 'args'): EncodeError {
  try {
    wire.encode(value, path)
  } catch (error) {
    if (error instanceof EncodeError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 0
  for (let i = 0; i < depth; i++) value = wrap(value)
  return value
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function sparse(): unknown[] {
  const array: unknown[] = []
  array[4_000_000_000] = 1
  return array
}

function transferred(): Uint8Array {
  const bytes = new Uint8Array(8)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

/** A module as Node.js has it; the test runner replaces `import()` in this file by its own. */
const realModule: unknown = runInThisContext("import('node:path')", {
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
})

const PLAIN = '; pass plain data'

/** What stands at `args[1].x`, and how the sentence about it goes on. */
const refused: readonly (readonly [what: string, value: unknown, says: string])[] = [
  ['a function', () => 1, 'is a function and cannot cross processes'],
  ['a class', User, 'is a function and cannot cross processes'],
  ['a symbol', Symbol('s'), 'is a symbol and cannot cross processes'],
  ['a class instance', new User(), `is an instance of User and cannot cross processes${PLAIN}`],
  ['a subclass of Map', new Members(), `is an instance of Members and cannot cross processes${PLAIN}`],
  ['a subclass of Array', List.of(1), `is an instance of List and cannot cross processes${PLAIN}`],
  ['a subclass of Date', new Stamp(), `is an instance of Stamp and cannot cross processes${PLAIN}`],
  ['a subclass of Uint8Array', new Bytes(1), `is an instance of Bytes and cannot cross processes${PLAIN}`],
  [
    'an object with a prototype',
    Object.create({ a: 1 }),
    `is an object with a prototype of its own and cannot cross processes${PLAIN}`,
  ],
  ['the environment', process.env, `is an object with a prototype of its own and cannot cross processes${PLAIN}`],
  ['a WeakMap', new WeakMap(), 'is a WeakMap and cannot cross processes'],
  ['a WeakRef', new WeakRef({}), 'is a WeakRef and cannot cross processes'],
  ['a boxed number', Object(1), 'is a Number and cannot cross processes'],
  ['a promise', Promise.resolve(1), 'is a Promise and cannot cross processes; await it first'],
  ['a port', new MessageChannel().port1, 'is a MessagePort and cannot cross processes'],
  ['an abort signal', new AbortController().signal, `is an instance of AbortSignal and cannot cross processes${PLAIN}`],
  [
    'search parameters',
    new URLSearchParams('a=1'),
    `is an instance of URLSearchParams and cannot cross processes${PLAIN}`,
  ],
  ['shared memory', new SharedArrayBuffer(8), 'is a SharedArrayBuffer and cannot cross processes'],
  [
    'a view on shared memory',
    new Uint8Array(new SharedArrayBuffer(8)),
    'is a Uint8Array on a SharedArrayBuffer and cannot cross processes',
  ],
  ['memory that was transferred away', transferred(), 'could not be read and cannot cross processes'],
  ['a generator', (function* () {})(), `is an object with a prototype of its own and cannot cross processes${PLAIN}`],
  ['a namespace object', Math, `is an object with a prototype of its own and cannot cross processes${PLAIN}`],
  ['a symbol key', { [Symbol('tag')]: 1 }, 'has the symbol key Symbol(tag) and cannot cross processes'],
  [
    'a symbol key without prototype',
    Object.assign(Object.create(null) as object, { [Symbol('tag')]: 1 }),
    'has the symbol key Symbol(tag) and cannot cross processes',
  ],
  ['a pretended Map', Object.create(Map.prototype), 'could not be read and cannot cross processes'],
  ['a pretended URL', Object.create(URL.prototype), 'could not be read and cannot cross processes'],
  ['a revoked proxy', revoked(), 'could not be read and cannot cross processes'],
  [
    'a boundless array',
    sparse(),
    'is an array with holes and a length of 4000000001 and cannot cross processes; at most 16777216 is possible',
  ],
  [
    'a proxy of a class instance',
    new Proxy(new User(), {}),
    `is an instance of User and cannot cross processes${PLAIN}`,
  ],
]

for (const wire of wires) {
  describe(`${wire.name} wire`, () => {
    for (const [what, value, says] of refused) {
      it(`refuses ${what}`, () => {
        expect(refusal(wire, [0, { x: value }]).message).toBe(`args[1].x ${says}`)
      })
    }

    it('refuses an arguments object', () => {
      const given = (function (..._rest: unknown[]): unknown {
        return arguments
      })(1)
      expect(refusal(wire, given, 'item').message).toBe(
        'item is an arguments object and cannot cross processes; pass [...arguments]',
      )
    })

    it('refuses a module', async () => {
      expect(refusal(wire, { module: await realModule }, 'item').message).toMatch(
        /^item\.module is a module and cannot cross processes; pass plain data$/,
      )
    })

    it('names the root alone when that is what cannot cross', () => {
      expect(refusal(wire, () => 1, 'result').message).toBe('result is a function and cannot cross processes')
    })

    it('names the way through every kind of container', () => {
      const fn = (): void => undefined
      const sparseArray: unknown[] = [, fn]
      const paths: readonly (readonly [unknown, string])[] = [
        [[1, { onDone: fn }], 'args[1].onDone'],
        [[{ 'not a name': [fn] }], 'args[0]["not a name"][0]'],
        [[{ ümlaut: fn }], 'args[0].ümlaut'],
        [[new Map([['k', fn]])], 'args[0].get("k")'],
        [[new Map([[{}, fn]])], 'args[0].values()[0]'],
        [[new Map([[fn, 1]])], 'args[0].keys()[0]'],
        [[new Set([1, fn])], 'args[0].values()[1]'],
        [[Object.assign(Object.create(null) as object, { a: fn })], 'args[0].a'],
        [[sparseArray], 'args[0][1]'],
        [[Object.assign([1], { note: fn })], 'args[0].note'],
        [[{ $: 1, f: fn }], 'args[0].f'],
        [Array.from({ length: 50 }, (_, i) => (i === 40 ? fn : i)), 'args[40]'],
      ]
      for (const [value, path] of paths) {
        expect(refusal(wire, value).message).toBe(`${path} is a function and cannot cross processes`)
      }
    })

    it('cuts a long path and a long key', () => {
      const { message } = refusal(
        wire,
        nested(300, (inner) => (inner === 0 ? { ['k'.repeat(5000)]: Symbol('s') } : { key: inner })),
      )
      expect(message.length).toBeLessThan(300)
      expect(message).toMatch(/^args\.key\.key.*….* is a symbol and cannot cross processes$/)
    })

    it('names the place in a long array of numbers', () => {
      const numbers: unknown[] = Array.from({ length: 5000 }, (_, index) => index)
      for (const index of [0, 1, 1500, 4999]) {
        expect(refusal(wire, [numbers.with(index, () => 1)]).message).toContain(`args[0][${index}] is a function`)
        // It answers when it is asked whether it is there.
        let reads = 0
        const get = (): number => {
          if (reads++ > 0) throw new RangeError('no')
          return 1
        }
        const error = refusal(wire, [Object.defineProperty([...numbers], index, { get, enumerable: true })])
        expect(error.message).toBe(`args[0][${index}] could not be read and cannot cross processes`)
        expect(error.cause).toEqual(new RangeError('no'))
      }
    })

    it('reports a getter that throws, with its error', () => {
      const cause = new Error('no')
      const value = {
        get bad(): never {
          throw cause
        },
      }
      const error = refusal(wire, [value])
      expect(error.message).toBe('args[0].bad could not be read and cannot cross processes')
      expect(error.cause).toBe(cause)
      expect(refusal(wire, Object.defineProperty([1, 2], 1, { get: () => value.bad, enumerable: true })).cause).toBe(
        cause,
      )
      expect(refusal(wire, new Proxy({}, { ownKeys: () => value.bad })).cause).toBe(cause)
      expect(refusal(wire, new Proxy({}, { getPrototypeOf: () => value.bad })).cause).toBe(cause)
    })

    it('takes 1,000 levels and refuses one more', () => {
      const shapes: readonly ((inner: unknown) => unknown)[] = [
        (inner) => [inner],
        (inner) => ({ a: inner }),
        (inner) => new Map([[1, inner]]),
        (inner) => new Set([inner]),
        (inner) => Object.assign(Object.create(null) as object, { a: inner }),
      ]
      for (const wrap of shapes) {
        let received = wire.cross(nested(1000, wrap))
        let levels = 0
        for (; received !== 0; levels++) {
          received =
            received instanceof Map || received instanceof Set
              ? [...received.values()][0]
              : Object.values(received as object)[0]
        }
        expect(levels).toBe(1000)
        expect(refusal(wire, nested(1001, wrap)).message).toMatch(
          / is nested deeper than 1000 levels and cannot cross processes$/,
        )
        expect(refusal(wire, nested(100_000, wrap)).message).toMatch(
          / is nested deeper than 1000 levels and cannot cross processes$/,
        )
      }
    })

    it('refuses without a RangeError where the stack has no room for 1,000 levels', () => {
      const value = nested(1000, (inner) => ({ a: inner }))
      const deep = (depth: number): unknown => {
        try {
          return deep(depth + 1)
        } catch (error) {
          // Every frame on the way back up tries with a little more room, until one has enough for a clear answer.
          if (!(error instanceof RangeError)) throw error
          return refusal(wire, value)
        }
      }
      expect(() => {
        throw deep(0)
      }).toThrow('args is nested too deeply for the stack that is left here and cannot cross processes')
    })
  })
}
