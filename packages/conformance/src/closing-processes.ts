/** A context that closes: what waits through it for processes and pools ends; so it is in a child, but not at the child's end. */
import { expect } from 'vitest'
import { failureOf } from './checking.ts'
import { closes } from './closing.ts'
import type { Suite } from './harness.ts'
import { double, hear } from './targets/basic.ts'
import { closeWhileWaiting, leaveWaiting } from './targets/closing.ts'
import { stopAtGate } from './targets/pool.ts'
import { ignoreSignal } from './targets/process.ts'
import { printWhenTold } from './targets/surroundings.ts'

export function closingProcessesSuite(suite: Suite): void {
  suite('a context closes: processes', (check) => {
    check('who waits for a process of another context', async ({ mp, start, connect }) => {
      const [said, words] = [mp.queue<number>(), mp.queue<string>()]
      const child = await start(mp.process(hear<string>, [said, words]))
      await said.get()
      const closing = await connect()
      const its = await closing.find(child.id)
      const ours = child.join()
      await closes(closing, [its.join(), its.join({ timeout: 60_000 }), its.result(), closing.wait([its])])
      expect(child.exitCode).toBeNull()
      await words.put('go on')
      expect(await ours).toMatchObject({ reason: 'returned' })
    })

    check('who reads what a process of another context writes', async ({ mp, start, connect }) => {
      const lines = mp.queue<string>()
      const child = await start(mp.process(printWhenTold, [lines], { stdio: 'pipe' }))
      const closing = await connect()
      const its = await closing.find(child.id)
      const [waiting, idle] = [its, its].map((one) => one.logs({ follow: true })[Symbol.asyncIterator]())
      const ours = child.logs({ follow: true })[Symbol.asyncIterator]()
      await lines.put('one')
      for (const loop of [waiting, idle, ours]) expect((await loop?.next())?.value).toMatchObject({ text: 'one' })
      await closes(closing, [Promise.resolve(waiting?.next())])
      expect(await failureOf(() => idle?.next())).toMatchObject({ name: 'ClosedError' })
      await lines.put('two')
      expect((await ours.next()).value).toMatchObject({ text: 'two' })
      await lines.put('end')
      await child.join()
    })

    check('who asks a process to end that does not', async ({ mp, start, connect }) => {
      const said = mp.queue<string>()
      const child = await start(mp.process(ignoreSignal, [said]))
      await said.get()
      const closing = await connect()
      const its = await closing.find(child.id)
      await closes(closing, [its.interrupt(), its.terminate({ grace: Number.POSITIVE_INFINITY })])
      await child.kill()
    })

    check('who waits for what a pool of it works on', async ({ mp, connect }) => {
      const [arrived, gate] = [mp.queue<number>(), mp.queue<string>()]
      const closing = await connect()
      const pool = closing.pool(1)
      const running = pool.apply(stopAtGate, [arrived, gate])
      await arrived.get()
      const later = pool.applyAsync(stopAtGate, [arrived, gate])
      const [mapped, looped] = [pool.map(double, [1, 2]), pool.imap(double, [1, 2]).next()]
      const ready = later.wait()
      await closes(closing, [running, later.get(), mapped, looped])
      expect(await ready).toBe(true)
      expect(await failureOf(() => pool.apply(double, [1]))).toMatchObject({ name: 'ClosedError' })
    })

    check('in a child, which goes on with another context', async ({ mp, start, unique }) => {
      const queue = mp.queue<string>(unique('shared'))
      const child = await start(mp.process(closeWhileWaiting, [queue.name]))
      expect(await child.result()).toBe('ClosedError')
      expect(await queue.get()).toBe('after the close')
      await queue.destroy()
    })

    check('a child that ends while it waits ends well, and what it put is there', async ({ mp, start }) => {
      const [event, items] = [mp.event(), mp.queue<string>()]
      const child = await start(mp.process(leaveWaiting, [event, items]))
      expect(await child.join()).toEqual({ exitCode: 0, signal: null, reason: 'returned' })
      expect(await items.get()).toBe('on its way')
    })
  })
}
