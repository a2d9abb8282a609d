/** What a context leaves behind when it closes, and what it lets go before. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connect, type Context, currentProcess, LeaseLostError } from '@skein/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeAndGoOn, echo, holdUntilTold } from './targets/process.mjs'

const here = { namespace: 'context' }

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

describe('a context on the local adapter', () => {
  let mp: Context

  beforeAll(async () => {
    mp = await connect('local:', here)
  })
  afterAll(async () => {
    await mp.close()
  })

  it('gives back what its handles hold when it closes, and says so', async () => {
    const other = await connect('local:', here)
    const lease = await other.lock('held').acquire()
    const { signal } = lease
    await other.close()
    expect(() => lease.assertHeld()).toThrow(LeaseLostError)
    expect(signal.aborted).toBe(true)
    expect(await lease.release()).toBe(false)
    await (await mp.lock('held').acquire({ timeout: 5_000 })).release()
  })

  it('gives back a grant that crosses an abort and its close', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'skein-'))
    const mark = join(directory, 'released')
    const other = await connect('local:', here)
    const [near, far] = mp.pipe<string>()
    await mp.process(holdUntilTold, [mp.lock('crossing'), far, mark]).start()
    await near.recv()
    const giving = new AbortController()
    const acquired = other.lock('crossing').acquire({ signal: giving.signal })
    // The request is at the broker when its answer to a later one is here.
    await other.lock('crossing').locked()
    await near.send('release')
    // The event loop stands still, so the grant waits in the port.
    const deadline = performance.now() + 10_000
    while (!existsSync(mark) && performance.now() < deadline) continue
    giving.abort(new Error('given up'))
    const closed = other.close()
    await expect(acquired).rejects.toThrow('given up')
    await closed
    await (await mp.lock('crossing').acquire({ timeout: 5_000 })).release()
    rmSync(directory, { recursive: true })
  })

  it('never gives a name twice', async () => {
    const names = new Set<string>()
    for (let n = 0; n < 3; n += 1) {
      const one = await connect('local:', { namespace: 'again' })
      names.add(one.queue().name)
      names.add(one.process(echo<number>, [1]).id)
      await one.close()
    }
    expect(names.size).toBe(6)
  })

  it('lets go of what has ended', async () => {
    const over: WeakRef<object>[] = []
    const use = async (): Promise<void> => {
      const lock = mp.lock()
      await lock.destroy()
      const child = await mp.process(echo<number>, [1]).start()
      await child.join()
      over.push(new WeakRef(lock), new WeakRef(child))
    }
    await use()
    for (let turn = 0; turn < 20 && over.some((one) => one.deref() !== undefined); turn += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      collect()
    }
    expect(over.map((one) => one.deref())).toEqual([undefined, undefined])
  })

  it('is the current one as long as it is open and the first', async () => {
    expect(currentProcess().context).toBe(mp)
    const [second, third] = [await connect('local:', here), await connect('local:', here)]
    expect(currentProcess().context).toBe(mp)
    await third.close()
    await second.close()
    expect(currentProcess().context).toBe(mp)
  })

  it('is replaced in a child that goes on after closing it', async () => {
    const child = await mp.process(closeAndGoOn, ['plain']).start()
    expect(await child.result()).toEqual({
      wasFirst: true,
      none: null,
      same: false,
      known: true,
      namespace: 'context',
      result: 'grandchild',
      locked: false,
    })
  })

  it('guards a lock that was made again under the name of one that is held', async () => {
    const lock = mp.rlock('again')
    await lock.with(async () => {
      await mp.rlock('again').destroy()
      const next = mp.rlock('again')
      await next.with(async () => {
        expect(await next.locked()).toBe(true)
      })
    })
  })
})
