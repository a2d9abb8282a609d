import { AssertionError, strictEqual } from 'node:assert'
import { once, EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, Socket } from 'node:net'
import { types } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { decode, encode, encodeThrown, registerError, withOrigin } from '../../src/codec/index.ts'
import * as skein from '../../src/errors.ts'
import { difference } from './support/difference.ts'
import { noHandles, wires } from './support/wires.ts'

function caught(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

function fails(message = 'on purpose'): never {
  throw new Error(message)
}

class PaymentError extends Error {
  override readonly name: string = 'PaymentError'
  readonly amount: number
  constructor(options: { amount: number }) {
    super(`refused ${options.amount}`)
    this.amount = options.amount
  }
  retryIn(): number {
    return this.amount * 2
  }
}

class Nameless extends TypeError {
  get code(): string {
    return 'ERR_NAMELESS'
  }
}

class Registered extends PaymentError {}
class Agent {
  readonly sockets = 3
}
class LookAlike extends Error {
  override name = 'TimeoutError'
}

const cause = new TypeError('inner', { cause: { detail: [1, 2] } })
const selfCaused = new Error('loop')
selfCaused.cause = selfCaused

const exact: Record<string, () => unknown> = {
  Error: () => new Error('boom'),
  'an error without message': () => new Error(),
  TypeError: () => new TypeError('boom', { cause }),
  RangeError: () => new RangeError('boom'),
  SyntaxError: () => caught(() => JSON.parse('{')),
  ReferenceError: () => new ReferenceError('boom'),
  EvalError: () => new EvalError('boom'),
  URIError: () => caught(() => decodeURIComponent('%')),
  AggregateError: () => new AggregateError([new TypeError('a'), 'b', cause], 'many'),
  'a cause of undefined': () => new Error('x', { cause: undefined }),
  'own properties': () =>
    Object.assign(new Error('x'), { code: 'E_X', details: { list: [new Map([[1, 2]])] }, errno: -2 }),
  'own name': () => Object.assign(new Error('x'), { name: 'Special' }),
  'the error of a file that is not there': () => caught(() => readFileSync('/does/not/exist')),
  'an AbortError': () => AbortSignal.abort().reason,
  'a TimeoutError of the platform': () => new DOMException('late', 'TimeoutError'),
  'a failed structured clone': () => caught(() => structuredClone(fails)),
  'a failed assertion': () => caught(() => strictEqual(1, 2)),
  'a cycle': () => selfCaused,
  'an error twice': () => [cause, new Error('x', { cause })],
  'an error without stack': () => {
    const error = new Error('x')
    error.stack = ''
    return error
  },
}

for (const wire of wires) {
  describe(`${wire.name} wire`, () => {
    for (const [name, make] of Object.entries(exact)) {
      it(`keeps ${name}`, () => {
        const sent = make()
        expect(difference(sent, wire.cross(sent))).toBeNull()
      })
    }

    it('keeps every class of the table, with its facts, without calling constructors', () => {
      expect(skein.errorClasses.size).toBeGreaterThan(30)
      for (const [name, type] of skein.errorClasses) {
        const sent: unknown = Reflect.construct(type as unknown as new (...args: unknown[]) => Error, [
          'says why',
          { cause, retryable: true, pid: 7, signal: 'SIGKILL', task: 'a#b' },
        ])
        const received = wire.cross(sent)
        expect(difference(sent, received)).toBeNull()
        expect(received).toMatchObject({ name, code: type.prototype.code, retryable: true, indeterminate: false })
        expect(types.isNativeError(received)).toBe(true)
        expect(received).toBeInstanceOf(skein.SkeinError)
      }
      expect(wire.cross(new skein.QueueClosedError('x'))).toBeInstanceOf(skein.ClosedError)
      expect(wire.cross(new skein.WorkerLostError('x', { pid: 9, signal: 'SIGKILL' }))).toMatchObject({
        pid: 9,
        signal: 'SIGKILL',
        host: null,
      })
    })

    it("takes another copy of the package's errors as our own", async () => {
      vi.resetModules()
      const copy = await import('../../src/errors.ts')
      expect(copy.TimeoutError).not.toBe(skein.TimeoutError)
      const received = wire.cross(new copy.TimeoutError('late', { retryable: true }))
      expect(Object.getPrototypeOf(received)).toBe(skein.TimeoutError.prototype)
      expect(received).toMatchObject({ message: 'late', retryable: true, code: 'ERR_SKEIN_TIMEOUT' })
    })

    it('makes a RemoteError of an unknown class, with name, message, properties, stack and cause', () => {
      const sent = Object.assign(new PaymentError({ amount: 5 }), { code: 'E_PAY', cause })
      const received = wire.cross(sent) as skein.RemoteError & { amount: number }
      expect(received).toBeInstanceOf(skein.RemoteError)
      expect(received).not.toBeInstanceOf(PaymentError)
      expect(received).toMatchObject({
        name: 'PaymentError',
        message: 'refused 5',
        amount: 5,
        code: 'E_PAY',
        retryable: false,
        indeterminate: false,
      })
      expect(received.stack).toBe(sent.stack)
      expect(received.cause).toBeInstanceOf(TypeError)
      expect(difference(received, wire.cross(received))).toBeNull()
    })

    it('names an unknown class that has no name of its own after the class, and keeps its code', () => {
      const received = wire.cross(new Nameless('x')) as skein.RemoteError
      expect([received.name, received.code, received.message]).toEqual(['Nameless', 'ERR_NAMELESS', 'x'])
    })

    it('does not take a class for ours because of its name', () => {
      const received = wire.cross(new LookAlike('x'))
      expect(received).toBeInstanceOf(skein.RemoteError)
      expect(received).not.toBeInstanceOf(skein.TimeoutError)
      expect(received).toMatchObject({ name: 'TimeoutError' })
    })

    it('keeps a registered class, whose constructor is not called', () => {
      registerError(Registered)
      registerError(Registered)
      const sent = new Registered({ amount: 21 })
      const received = wire.cross(sent) as Registered
      expect(received).toBeInstanceOf(Registered)
      expect(received.retryIn()).toBe(42)
      expect(difference(sent, received)).toBeNull()
    })

    it('replaces properties that cannot cross, and keeps the rest', () => {
      const sent = Object.assign(new Error('lost'), {
        socket: new Socket(),
        onRetry: () => 1,
        request: { id: 7, agent: new Agent(), [Symbol('s')]: 1 },
        wait: Promise.resolve(),
        list: [1, Symbol('x')],
        n: 1,
      })
      expect(wire.cross(sent)).toMatchObject({
        message: 'lost',
        socket: '[an instance of Socket, which cannot cross processes]',
        onRetry: '[a function, which cannot cross processes]',
        request: { id: 7, agent: '[an instance of Agent, which cannot cross processes]' },
        wait: '[a Promise, which cannot cross processes]',
        list: [1, '[a symbol, which cannot cross processes]'],
        n: 1,
      })
      sent.socket.destroy()
    })

    it('replaces what cannot cross only inside errors', () => {
      expect(wire.cross([new Error('x', { cause: fails })])).toHaveLength(1)
      expect(() => wire.encode([new Error('x', { cause: fails }), fails], 'args')).toThrow('args[1] is a function')
    })

    it('keeps references right when something between was replaced', () => {
      const details = { a: 1 }
      const socket = new Socket()
      const sent = Object.assign(new Error('x'), { first: socket, details, second: socket, again: details })
      const received = wire.cross([sent, details, sent]) as [Error & Record<string, unknown>, object, Error]
      expect(received[0]['second']).toBe(received[0]['first'])
      expect(received[0]['again']).toBe(received[1])
      expect(received[0]['details']).toBe(received[1])
      expect(received[2]).toBe(received[0])
      socket.destroy()
    })

    it('encodes an error whatever its getters and traps do', () => {
      const getters = new Error('x')
      for (const key of ['stack', 'message', 'name', 'code', 'cause', 'extra']) {
        Object.defineProperty(getters, key, { get: () => fails(), enumerable: key === 'extra', configurable: true })
      }
      expect(wire.cross(getters)).toMatchObject({ message: '[could not be read]', extra: '[could not be read]' })

      const trap = (): never => fails()
      const proxied = new Proxy(new Error('proxied'), { ownKeys: trap, getOwnPropertyDescriptor: trap, has: trap })
      expect(wire.cross(proxied)).toMatchObject({ message: expect.any(String) as string })
      expect(wire.cross(new Proxy(new Error('proxied'), {}))).toMatchObject({ message: 'proxied' })
      expect(wire.cross(new Proxy(new Error('proxied'), { get: trap }))).toBeInstanceOf(Error)

      const odd = Object.assign(new Error('x'), { message: { toString: trap }, stack: 7, name: Symbol('n') })
      expect(wire.cross(odd)).toBeInstanceOf(Error)
      expect(wire.cross(Object.create(Error.prototype))).toBeInstanceOf(Error)
      expect(wire.cross(Object.freeze(new Error('frozen')))).toMatchObject({ message: 'frozen' })
    })

    it('encodes an error with endless causes', () => {
      let error = new Error('0')
      for (let i = 1; i < 5000; i++) error = new Error(String(i), { cause: error })
      const received = wire.cross(error) as Error
      expect(received.message).toBe('4999')
      expect((received.cause as Error).message).toBe('4998')
    })

    it('keeps what was thrown without being an error', () => {
      for (const value of ['x', undefined, null, 0, { a: 1 }]) expect(wire.cross(value)).toEqual(value)
    })

    it("keeps the platform's own classes behind names like AbortError", async () => {
      const error: unknown = await once(new EventEmitter(), 'never', { signal: AbortSignal.abort() }).catch(
        (reason: unknown) => reason,
      )
      expect(wire.cross(error)).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' })
    })

    it("keeps an error of the platform's own checks", () => {
      const received = wire.cross(caught(() => Buffer.alloc(-1)))
      expect(received).toBeInstanceOf(RangeError)
      expect(received).toMatchObject({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
    })

    it('keeps a refused connection', async () => {
      // Port 1 is one that nobody listens on; both families are tried, which gives an AggregateError.
      const socket = connect({
        port: 1,
        host: 'localhost',
        lookup: (_host, _options, done) =>
          done(null, [
            { address: '127.0.0.1', family: 4 },
            { address: '127.0.0.2', family: 4 },
          ]),
        autoSelectFamily: true,
      })
      const [error] = (await once(socket, 'error')) as [AggregateError]
      const received = wire.cross(error) as AggregateError
      expect(received).toBeInstanceOf(AggregateError)
      expect(received).toMatchObject({ code: 'ECONNREFUSED' })
      expect(received.errors).toHaveLength(2)
      expect(received.errors[0]).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect', port: 1 })
    })
  })
}

describe('a class of assertion errors', () => {
  it('is the one of node:assert', () => {
    expect(decode(encode(caught(() => strictEqual(1, 2))), noHandles)).toBeInstanceOf(AssertionError)
  })
})

describe('encodeThrown', () => {
  it('encodes what can cross as it is', () => {
    expect(decode(encodeThrown('x'), noHandles)).toBe('x')
    expect(decode(encodeThrown(undefined), noHandles)).toBeUndefined()
    expect(decode(encodeThrown(new RangeError('r')), noHandles)).toBeInstanceOf(RangeError)
  })

  it('says what it was that cannot', () => {
    const thrown = [fails, Symbol('s'), new Agent(), { a: fails }, new Proxy({}, { getPrototypeOf: () => fails() })]
    expect(thrown.map((each) => (decode(encodeThrown(each), noHandles) as Error).message)).toEqual([
      'the thrown value is a function and cannot cross processes.',
      'the thrown value is a symbol and cannot cross processes.',
      'the thrown value is an instance of Agent and cannot cross processes; pass plain data.',
      'the thrown value.a is a function and cannot cross processes.',
      'the thrown value could not be read and cannot cross processes.',
    ])
    expect(decode(encodeThrown(fails), noHandles)).toBeInstanceOf(skein.RemoteError)
  })
})

describe('registerError', () => {
  it('refuses what is no error class', () => {
    for (const value of [Agent, () => 1, 'Error', null, undefined, new Error('x')]) {
      expect(() => registerError(value as never)).toThrow(skein.ArgumentError)
    }
    expect(() => registerError(class extends Error {})).toThrow('a class with a name')
  })

  it('refuses a second class of a name', () => {
    registerError(Registered)
    for (const name of ['Registered', 'TypeError', 'DOMException', 'AssertionError']) {
      const other = class extends Error {}
      Object.defineProperty(other, 'name', { value: name })
      expect(() => registerError(other)).toThrow(skein.ConflictError)
    }
    registerError(TypeError)
  })
})

describe('withOrigin', () => {
  it('adds one line to the stack, once', () => {
    const error = decode(encode(new TypeError('x')), noHandles) as TypeError
    const { stack } = error
    expect(withOrigin(error, 'process 4711')).toBe(error)
    expect(withOrigin(error, 'process 4711').stack).toBe(`${stack}\n    at [process 4711]`)
    expect(Object.keys(error)).toEqual([])
    withOrigin(error, 'process 47')
    expect(error.stack).toBe(`${stack}\n    at [process 4711]\n    at [process 47]`)
  })

  it('leaves other values alone and never fails', () => {
    expect(withOrigin('x', 'process 1')).toBe('x')
    expect(withOrigin(undefined, 'process 1')).toBeUndefined()
    expect(withOrigin(Object.freeze(new Error('x')), 'process 1').stack).not.toContain('process 1')
    const bare = new Error('bare')
    Reflect.deleteProperty(bare, 'stack')
    expect(withOrigin(bare, 'p').stack).toMatch(/^Error: bare(\n|$)[^]*at \[p\]$/)
  })
})
