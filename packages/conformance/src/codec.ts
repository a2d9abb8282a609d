/** What crosses processes, crosses whole: as an argument, as a result, as an item. What cannot, is refused with its path. */
import * as skein from '@skein/core'
import { EncodeError, LeaseLostError, RemoteError, SkeinError, TimeoutError, WorkerLostError } from '@skein/core'
import { expect } from 'vitest'
import { isSame, samples } from './codec-values.ts'
import { failureOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { echo } from './targets/basic.ts'
import {
  cycle,
  failToCook,
  look,
  lookAtAll,
  lookAtError,
  RecipeError,
  rethrow,
  sharesAndCycles,
} from './targets/codec.ts'
import { passOn } from './targets/queue.ts'
import { answer } from './targets/pipe.ts'

class Point {
  readonly x = 1
}

export function codecSuite(suite: Suite): void {
  suite('values', (check) => {
    check('each kind arrives as what it was', async ({ mp, start }) => {
      const values = samples().map(({ value }) => value)
      const child = await start(mp.process(lookAtAll, values))
      expect(await child.result()).toEqual(values.map(look))
    })

    check('each kind comes back from a task as what it was', async ({ pool }) => {
      const workers = pool(1)
      const changed: string[] = []
      for (const { label, value } of samples()) {
        if (!isSame(await workers.apply(echo, [value]), value)) changed.push(label)
      }
      expect(changed).toEqual([])
    })

    check('each kind comes back from map() as what it was', async ({ pool }) => {
      const all = samples()
      const back = await pool(1).map(
        echo<unknown>,
        all.map(({ value }) => value),
      )
      expect(all.filter(({ value }, index) => !isSame(back[index], value)).map(({ label }) => label)).toEqual([])
    })

    check('each kind passes through queues as what it was', async ({ mp, start }) => {
      const [there, back] = [mp.queue<unknown>(), mp.queue<unknown>()]
      await start(mp.process(passOn<unknown>, [there, back]))
      const changed: string[] = []
      for (const { label, value } of samples()) {
        await there.put(value)
        if (!isSame(await back.get(), value)) changed.push(label)
      }
      await there.close()
      expect(changed).toEqual([])
    })

    check('each kind passes through a pipe as what it was', async ({ mp, start }) => {
      const [here, there] = mp.pipe()
      await start(mp.process(answer<unknown>, [there]))
      const changed: string[] = []
      for (const { label, value } of samples()) {
        await here.send(value)
        if (!isSame(await here.recv(), value)) changed.push(label)
      }
      await here.close()
      expect(changed).toEqual([])
    })

    check('shared references stay shared and cycles closed, both ways', async ({ pool }) => {
      const workers = pool(1)
      expect(await workers.apply(sharesAndCycles, [cycle()])).toBe(true)
      expect(sharesAndCycles(await workers.apply(cycle))).toBe(true)
    })

    check('no data reaches a prototype', async ({ pool }) => {
      const evil: unknown = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')
      const back = await pool(1).apply(echo, [evil])
      expect(Object.keys(back as object)).toEqual(['__proto__', 'constructor'])
      expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    })

    check('data nested 500 deep passes; 100,000 deep is refused, not an overflow', async ({ pool }) => {
      const workers = pool(1)
      const nested = (depth: number): unknown => {
        let value: unknown = 'bottom'
        for (let level = 0; level < depth; level += 1) value = [value]
        return value
      }
      expect(JSON.stringify(await workers.apply(echo, [nested(500)]))).toBe(JSON.stringify(nested(500)))
      expect(await failureOf(() => workers.apply(echo, [nested(100_000)]))).toBeInstanceOf(EncodeError)
    })

    check('errors are values: built-in classes, code, properties, cause, errors', async ({ pool }) => {
      const workers = pool(1)
      const error = Object.assign(new TypeError('of a kind', { cause: new RangeError('the cause') }), {
        code: 'E_KIND',
        extra: { list: [1] },
      })
      expect(await workers.apply(lookAtError, [error])).toEqual({
        error: true,
        type: true,
        name: 'TypeError',
        message: 'of a kind',
        code: 'E_KIND',
        cause: 'the cause',
      })
      const back = await workers.apply(echo<typeof error>, [error])
      expect(back).toBeInstanceOf(TypeError)
      expect(back).toMatchObject({ message: 'of a kind', code: 'E_KIND', extra: { list: [1] } })
      expect(back.cause).toBeInstanceOf(RangeError)
      const many = await workers.apply(echo<AggregateError>, [new AggregateError([error, 'text'], 'several')])
      expect(many).toBeInstanceOf(AggregateError)
      expect(many.errors[0]).toBeInstanceOf(TypeError)
      expect(many.errors[1]).toBe('text')
    })

    check('an error thrown elsewhere keeps its class, Skein’s own and AbortError included', async ({ pool }) => {
      const workers = pool(1)
      const thrown = async (error: unknown): Promise<unknown> => failureOf(() => workers.apply(rethrow, [error]))
      for (const Type of [Error, TypeError, RangeError, SyntaxError, EvalError, ReferenceError, URIError]) {
        const error = await thrown(new Type('built in'))
        expect(error).toBeInstanceOf(Type)
        expect(error).toMatchObject({ name: Type.name, message: 'built in' })
      }
      const late = await thrown(new TimeoutError('too late', { retryable: true }))
      expect(late).toBeInstanceOf(TimeoutError)
      expect(late).toBeInstanceOf(SkeinError)
      expect(late).not.toBeInstanceOf(LeaseLostError)
      expect(late).toMatchObject({ code: 'ERR_SKEIN_TIMEOUT', retryable: true, message: 'too late' })
      const lost = await thrown(new WorkerLostError('gone', { pid: 7, signal: 'SIGKILL' }))
      expect(lost).toBeInstanceOf(WorkerLostError)
      expect(lost).toMatchObject({ pid: 7, signal: 'SIGKILL' })
      expect(await thrown(AbortSignal.abort().reason)).toMatchObject({ name: 'AbortError', code: 20 })
    })

    check('every error class of the table crosses', async ({ pool }) => {
      const workers = pool(1)
      const missing: string[] = []
      for (const [name, Type] of Object.entries(skein)) {
        if (!isErrorClass(Type)) continue
        const back = await workers.apply(echo, [new Type('crossing')])
        if (!(back instanceof Type) || back.name !== name || back.code !== new Type('').code) missing.push(name)
      }
      expect(missing).toEqual([])
    })

    check('an error of a class that is not known there arrives as RemoteError with its name', async ({ pool }) => {
      class HomeMadeError extends Error {
        override readonly name = 'HomeMadeError'
        readonly recipe = ['flour', 'water']
      }
      const error = await failureOf(() => pool(1).apply(rethrow, [new HomeMadeError('burnt')]))
      expect(error).toBeInstanceOf(RemoteError)
      expect(error).toMatchObject({ name: 'HomeMadeError', message: 'burnt', recipe: ['flour', 'water'] })
    })

    check(
      'an error of a class that both sides have registered keeps its class, built without its constructor',
      async ({ pool }) => {
        const error = await failureOf(() => pool(1).apply(failToCook, [['salt', 'time']]))
        expect(error).toBeInstanceOf(RecipeError)
        expect(error).toMatchObject({ name: 'RecipeError', message: 'missing: salt, time', missing: ['salt', 'time'] })
      },
    )

    check('what is thrown need not be an error (cpython#101081)', async ({ pool }) => {
      const workers = pool(1)
      for (const value of ['text', 7, null, undefined, { a: 1 }]) {
        expect(await failureOf(() => workers.apply(rethrow, [value]))).toEqual(value)
      }
    })

    const refused: [string, unknown, string][] = [
      ['a function', { onDone: () => {} }, 'args[0].onDone is a function and cannot cross processes'],
      ['a symbol', [Symbol('s')], 'args[0][0] is a symbol and cannot cross processes'],
      ['an instance of a class', { at: new Point() }, 'args[0].at'],
      ['a promise', [Promise.resolve()], 'args[0][0]'],
      ['a WeakMap', new Map([['weak', new WeakMap()]]), 'args[0]'],
      ['shared memory', new SharedArrayBuffer(1), 'args[0]'],
      ['a view on shared memory', new Uint8Array(new SharedArrayBuffer(1)), 'args[0]'],
      ['a port', { port: new MessageChannel().port1 }, 'args[0].port'],
      ['a function in a Set', new Set([() => {}]), 'args[0]'],
      ['a class', { Type: Point }, 'args[0].Type is a function and cannot cross processes'],
    ]
    for (const [what, value, words] of refused) {
      check(`${what} is refused in the call, with its path`, async ({ mp, pool }) => {
        const calls = [(): unknown => mp.process(echo, [value]), (): unknown => pool(1).apply(echo, [value])]
        for (const call of calls) {
          const error = await failureOf(call)
          expect(error).toBeInstanceOf(EncodeError)
          expect((error as Error).message).toContain(words)
        }
        expect(await failureOf(() => mp.queue().put(value))).toBeInstanceOf(EncodeError)
        expect(await failureOf(() => mp.pipe()[0].send(value))).toBeInstanceOf(EncodeError)
      })
    }

    check('a getter that throws is refused, its error is the cause', async ({ mp }) => {
      const cause = new Error('not readable')
      const value = {
        get secret(): never {
          throw cause
        },
      }
      const error = await failureOf(() => mp.queue().put(untyped(value)))
      expect(error).toBeInstanceOf(EncodeError)
      expect((error as Error).cause).toBe(cause)
    })
  })
}

type ErrorClass = new (message: string) => SkeinError

function isErrorClass(value: unknown): value is ErrorClass {
  return typeof value === 'function' && (value === SkeinError || value.prototype instanceof SkeinError)
}
