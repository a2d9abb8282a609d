/** Items that travel ahead of demand, and puts that wait for no answer, are shortcuts: none of them may be seen from outside. */
import { connect, type Context, QueueClosedError, StateError } from '@skein/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drain, putSmallThenLarge, takeThenCompute, takeThenExit, takeThenReturn } from './targets/queue.mjs'

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

describe('what travels ahead on the local adapter', () => {
  let mp: Context

  beforeAll(async () => {
    mp = await connect('local:', { namespace: 'ahead' })
  })
  afterAll(async () => {
    await mp.close()
  })

  for (const [how, target] of [
    ['returns', takeThenReturn],
    ['calls process.exit()', takeThenExit],
  ] as const) {
    it(`what a consumer got does not come again when it ${how}`, async () => {
      const queue = mp.queue<number>()
      for (const n of range(300)) await queue.put(n)
      const child = await mp.process<[typeof queue, number], unknown>(target, [queue, 150]).start()
      expect((await child.join()).exitCode).toBe(0)
      expect(await queue.size()).toBe(150)
      expect(await queue.get()).toBe(150)
    })
  }

  it('what a consumer got does not come again when it is killed in the computation after a burst', async () => {
    const [queue, said] = [mp.queue<number>(), mp.queue<string>()]
    for (const n of range(300)) await queue.put(n)
    const child = await mp.process(takeThenCompute, [queue, said, 150]).start()
    await said.get()
    await child.kill()
    expect(await queue.get()).toBe(150)
  })

  it('a main program that computes holds nothing back from other consumers, and the order holds', async () => {
    const queue = mp.queue<number>()
    for (const n of range(600)) await queue.put(n)
    for (const n of range(100)) expect(await queue.get()).toBe(n)
    const child = await mp.process(drain, [queue, 500]).start()
    const started = process.hrtime.bigint()
    while (process.hrtime.bigint() - started < 1_500_000_000n);
    const unblocked = process.hrtime.bigint()
    const { items, at } = await child.result()
    expect(items).toEqual(range(600).slice(100))
    expect(at).toBeLessThan(unblocked)
  })

  it('a put that is still being written when the queue closes is either refused or there', async () => {
    const queue = mp.queue<Uint8Array>()
    const child = await mp.process(putSmallThenLarge, [queue, 100_000_000]).start()
    expect(await queue.get()).toHaveLength(1)
    await queue.close()
    const outcome = await child.result()
    if (outcome === 'put') expect(await queue.get()).toHaveLength(100_000_000)
    else expect(outcome).toBe('QueueClosedError')
    await expect(queue.get()).rejects.toBeInstanceOf(QueueClosedError)
  })

  it('a tryGet() before a get() gets the only item, and the get() goes on waiting', async () => {
    const queue = mp.queue<string>()
    await queue.put('one')
    const [tried, waiting] = [queue.tryGet(), queue.get()]
    expect(await tried).toEqual({ value: 'one' })
    await queue.put('two')
    expect(await waiting).toBe('two')
  })

  it('a poll() beside a recv() takes nothing and changes no order', async () => {
    const [a, b] = mp.pipe<string>()
    const [polled, first] = [b.poll(10_000), b.recv()]
    await a.send('one')
    await a.send('two')
    expect(await polled).toBe(true)
    expect(await first).toBe('one')
    expect(await b.recv()).toBe('two')
  })

  it('a message that recvBytes() refuses stays the first', async () => {
    const [a, b] = mp.pipe<number>()
    for (const n of range(50)) await a.send(n)
    for (const n of range(20)) expect(await b.recv()).toBe(n)
    await expect(b.recvBytes()).rejects.toBeInstanceOf(StateError)
    for (const n of range(50).slice(20)) expect(await b.recv()).toBe(n)
  })

  it('an item that cannot be read here goes back, and is set aside in the end', async () => {
    const queue = mp.queue<unknown>({ maxDeliveries: 2 })
    // What another version of the codec may write.
    await Reflect.get(queue, 'presence').put(null, new Uint8Array([0xc1]), {})
    await expect(queue.receive()).rejects.toThrow(/0xc1|byte|decode|read/)
    await expect(queue.receive()).rejects.toThrow(/0xc1|byte|decode|read/)
    await queue.join()
  })
})
