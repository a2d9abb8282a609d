/** Errors in a pool: none of them makes anybody wait for ever. Deaths of workers are in crash-pool.ts. */
import { bind, CrashLoopError, EncodeError, RemoteError, WorkerLostError } from '@skein/core'
import { expect } from 'vitest'
import { ascending, failureOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { add, double, fail, failLater, nothing } from './targets/basic.ts'
import {
  exitWith,
  failAwkwardly,
  failWithBaggage,
  returnFunction,
  returnFunctionIfOdd,
  tellAndFailOdd,
} from './targets/pool.ts'

export function poolErrorsSuite(suite: Suite): void {
  suite('pool: errors', (check) => {
    check('a task’s error keeps class, message, properties and stack', async ({ pool }) => {
      const error = await failureOf(() => pool(1).apply(failLater, ['no luck']))
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toMatchObject({ message: 'no luck', code: 'E_LATER', detail: { at: 7 } })
      expect((error as Error).stack).toContain('failLater')
    })

    check('map() runs every item, then rejects with the first error by index', async ({ mp, pool }) => {
      const workers = pool(2)
      for (const chunkSize of [1, 3]) {
        const seen = mp.queue<number>()
        const items = [0, 1, 2, 3, 4, 5]
        await expect(workers.map(bind(tellAndFailOdd, seen), items, { chunkSize })).rejects.toThrow('odd: 1')
        const ran = await Promise.all(items.map(() => seen.get()))
        expect(ascending(ran)).toEqual(items)
      }
    })

    check('an iterable that throws makes map() reject with that very error', async ({ pool }) => {
      const workers = pool(1)
      const error = new Error('out of items')
      function* items(): Generator<number> {
        yield 1
        throw error
      }
      await expect(workers.map(double, items())).rejects.toBe(error)
      expect(await workers.apply(add, [1, 2])).toBe(3)
    })

    check(
      'an error that cannot be built again arrives as RemoteError, its name and message kept (cpython#79492)',
      async ({ pool }) => {
        const workers = pool(1)
        const error = await failureOf(() => workers.apply(failAwkwardly))
        expect(error).toBeInstanceOf(RemoteError)
        expect(error).toMatchObject({ name: 'AwkwardError', message: 'cannot serve soup' })
        expect(await workers.apply(add, [1, 2])).toBe(3)
      },
    )

    check('an error that carries what cannot cross arrives without it', async ({ pool }) => {
      const workers = pool(1)
      const error = await failureOf(() => workers.apply(failWithBaggage))
      expect(error).toBeInstanceOf(TypeError)
      expect(error).toMatchObject({ message: 'too much luggage', code: 'E_BAGGAGE' })
      expect(await workers.apply(add, [1, 2])).toBe(3)
    })

    check('a result that cannot cross rejects its task only; the worker lives, 20 times in a row', async ({ pool }) => {
      const workers = pool(1)
      for (let time = 0; time < 20; time += 1) {
        const error = await failureOf(() => workers.apply(returnFunction))
        expect(error).toBeInstanceOf(EncodeError)
        expect((error as Error).message).toContain('items[0].onDone is a function')
      }
      expect(await workers.apply(add, [1, 2])).toBe(3)
    })

    check('a result that cannot cross spoils none of its neighbours', async ({ pool }) => {
      const workers = pool(1)
      await expect(workers.map(returnFunctionIfOdd, [0, 1, 2], { chunkSize: 3 })).rejects.toBeInstanceOf(EncodeError)
      expect(await workers.map(returnFunctionIfOdd, [0, 2, 4], { chunkSize: 3 })).toEqual([0, 2, 4])
    })

    check('an argument that cannot cross is refused in the call, with its path', async ({ pool }) => {
      const workers = pool(1)
      const bad = untyped(() => 1)
      const fromApply = await failureOf(() => workers.apply(add, [1, bad]))
      expect(fromApply).toBeInstanceOf(EncodeError)
      expect((fromApply as Error).message).toContain('args[1] is a function and cannot cross processes')
      const fromMap = await failureOf(() => workers.map(double, [1, 2, 3, untyped({ x: bad })]))
      expect(fromMap).toBeInstanceOf(EncodeError)
      expect((fromMap as Error).message).toContain('items[3].x is a function')
      expect(await workers.apply(add, [1, 2])).toBe(3)
    })

    check(
      'a task that ends its process rejects with WorkerLostError, and the pool goes on (piscina#304)',
      async ({ pool }) => {
        const workers = pool(1)
        const error = await failureOf(() => workers.apply(exitWith, [7]))
        expect(error).toBeInstanceOf(WorkerLostError)
        expect(error).toMatchObject({ exitCode: 7, signal: null })
        expect((error as Error).message).toContain('exitWith')
        expect(await workers.apply(add, [1, 2])).toBe(3)
      },
    )

    check('an initializer that throws: every task rejects with its error (cpython#87472)', async ({ pool }) => {
      const workers = pool(2, { initializer: fail, initArgs: ['no licence'] })
      const tasks = [workers.apply(nothing), workers.map(double, [1, 2])]
      for (const task of tasks) await expect(task).rejects.toThrow('no licence')
      expect(await failureOf(() => workers.apply(nothing))).toMatchObject({ message: 'no licence' })
      workers.close()
      await workers.join()
    })

    check(
      'an initializer that ends its process: every task rejects with CrashLoopError (CAPEv2#3142)',
      async ({ pool }) => {
        const workers = pool(1, { initializer: exitWith, initArgs: [3] })
        await expect(workers.apply(nothing)).rejects.toBeInstanceOf(CrashLoopError)
        workers.close()
        await workers.join()
      },
    )
  })
}
