/** The other ways to name a target: functions of a module that is not loaded here, and tasks with an id. */
import { bind, StateError, targetsOf, TargetNotFoundError, task, WorkerLostError } from '@skein/core'
import { expect } from 'vitest'
import { failureOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { tasks } from './targets/tasks.ts'

/** What the module leaves where it is loaded; by name, since to import the name would load it. */
const MARK = Symbol.for('skein.conformance.unloaded')

const unloaded = targetsOf<typeof import('./targets/unloaded.ts')>(new URL('./targets/unloaded.ts', import.meta.url))

export function targetsSuite(suite: Suite): void {
  suite('targets by name', (check) => {
    check('functions of a module that is not loaded here run elsewhere', async ({ mp, start, pool }) => {
      const child = await start(mp.process(unloaded.greet, ['you', 2]))
      expect(await child.result()).toBe('hello youhello you')
      const workers = pool(1)
      expect(await workers.map(unloaded.square, [1, 2, 3])).toEqual([1, 4, 9])
      expect(await workers.apply(unloaded.whoRuns)).toBe('PoolWorker-1')
      expect(Reflect.get(globalThis, MARK)).toBeUndefined()
    })

    check('bind() gives them arguments', async ({ pool }) => {
      expect(await pool(1).apply(bind(unloaded.greet, 'me'), [3])).toBe('hello mehello mehello me')
    })

    check('they cannot be called here', () => {
      expect(() => unloaded.greet('you')).toThrow(StateError)
      expect(() => unloaded.greet('you')).toThrow(/greet.*not loaded.*process\(\)/)
    })

    check('they can be awaited like any object', async () => {
      expect(await Promise.resolve(unloaded)).toBe(unloaded)
      expect(unloaded.greet).toBe(unloaded.greet)
    })

    for (const name of ['missing', 'NoTarget', 'notEither', 'toString', '__proto__', 'constructor']) {
      check(`${name}, which is no function of the module, is refused by start()`, async ({ mp }) => {
        const error = await failureOf(() => mp.process(untyped(Reflect.get(unloaded, name))).start())
        expect(error).toBeInstanceOf(TargetNotFoundError)
        expect((error as Error).message).toContain(name)
      })
    }

    check('the exports there are, are listed', async ({ mp }) => {
      const error = await failureOf(() => mp.process(untyped(Reflect.get(unloaded, 'missing'))).start())
      expect((error as Error).message).toMatch(/greet, square, whoRuns/)
    })
  })

  suite('tasks', (check) => {
    check('run elsewhere although nobody exports them', async ({ mp, start, pool }) => {
      const child = await start(mp.process(tasks.triple, [14]))
      expect(await child.result()).toBe(42)
      expect(await pool(1).map(tasks.triple, [1, 2])).toEqual([3, 6])
      expect(await pool(1).apply(bind(tasks.triple, 5))).toBe(15)
    })

    check('are called like any function', () => {
      expect(tasks.triple(2)).toBe(6)
      expect(tasks.triple.name).toBe('conformance.triple')
    })

    check('bring their options along, and a call has the last word', async ({ mp, pool }) => {
      const words = mp.queue<string>()
      const workers = pool(1)
      await words.put('found')
      expect(await workers.apply(tasks.fragile, [words])).toBe('found')
      const failed = workers.apply(tasks.fragile, [words], { retries: 0 })
      await expect(failed).rejects.toBeInstanceOf(WorkerLostError)
      const twice = await failureOf(() => workers.apply(bind(tasks.fragile, words)))
      expect(twice).toBeInstanceOf(WorkerLostError)
    })

    check('a task that its module does not define when it is loaded is refused by start()', async ({ mp, unique }) => {
      const id = unique('late')
      const late = task({ id }, () => 1)
      const error = await failureOf(() => mp.process(late).start())
      expect(error).toBeInstanceOf(TargetNotFoundError)
      expect((error as Error).message).toMatch(new RegExp(`Task "${id}".*targets\\.[jt]s:\\d+:\\d+.*top level`))
    })
  })
}
