/** Contexts of one process, place and namespace are one: they share their objects, and must agree on the settings. */
import { ConflictError } from '@skein/core'
import type { ConnectOptions } from '@skein/core'
import { expect } from 'vitest'
import { failureOf } from './checking.ts'
import type { Suite } from './harness.ts'

/** What is there, what is asked for, and both as the message shows them. */
const conflicts: readonly (readonly [there: ConnectOptions, asked: ConnectOptions, has: string, wants: string])[] = [
  [{ sessionTtl: 4_000 }, { sessionTtl: 3_000 }, 'sessionTtl 4000', 'sessionTtl 3000'],
  [{}, { stallLimit: 2_000 }, 'stallLimit 30000', 'stallLimit 2000'],
  [{ outage: 1_000 }, { outage: Number.POSITIVE_INFINITY }, 'outage 1000', 'outage Infinity'],
  [{ serve: true }, { serve: { slots: 2 } }, 'serve true', 'serve { slots: 2 }'],
  [{ serve: { slots: 1 } }, { serve: { slots: 2 } }, 'serve { slots: 1 }', 'serve { slots: 2 }'],
]

export function sharingSuite(suite: Suite): void {
  suite('contexts of one process', (check) => {
    for (const [there, asked, has, wants] of conflicts) {
      check(`${wants} is refused where ${has} is there`, async ({ connect, unique }) => {
        const namespace = unique('n')
        const first = await connect({ namespace, ...there })
        const error = await failureOf(() => connect({ namespace, ...asked }))
        expect(error).toBeInstanceOf(ConflictError)
        for (const words of [namespace, has, wants]) expect((error as Error).message).toContain(words)
        await first.close()
        const second = await connect({ namespace, ...asked })
        expect(await second.lock().with(() => 'held')).toBe('held')
      })
    }

    check('what is not asked for takes what is there, and the same may be asked for again', async (tools) => {
      const { connect, unique } = tools
      const namespace = unique('n')
      const settings: ConnectOptions = { namespace, sessionTtl: 4_000, stallLimit: 2_000, outage: 9_000 }
      const contexts = [await connect(settings), await connect({ namespace }), await connect(settings)]
      const [first, second, third] = contexts.map((mp) => mp.semaphore(3, 'seats'))
      for (const semaphore of [first, second, third]) await semaphore?.acquire()
      expect(await first?.value()).toBe(0)
      await first?.destroy()
    })

    check('another namespace has settings of its own', async ({ connect, unique }) => {
      await connect({ namespace: unique('n'), sessionTtl: 4_000 })
      const other = await connect({ namespace: unique('n'), sessionTtl: 3_000 })
      expect(await other.lock().with(() => 'held')).toBe('held')
    })
  })
}
