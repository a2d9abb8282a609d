/** Holding that depends on signs of life: what stopped, computing and cut off processes keep, and what they are told. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Context, LeaseLostError, StateError } from '@skein/core'
import { LinkedAdapter, type Nature, supervisorGround } from '@skein/core/adapter'
import { afterEach, describe, expect, it } from 'vitest'
import { AdapterContext } from '../../dist/context.js'
import { holdAndCompute, holdThroughStop, receiveThenWait, waitThroughStop } from './targets/tenure.mjs'

const entry = new URL('./fixtures/leased-entry.mjs', import.meta.url)
const nature: Nature = { kind: 'redis', place: 'test', scope: 'test', json: true, confirmed: true }
const TTL = 500

const open: Context[] = []
let count = 0

async function connected({
  stallLimit = 30_000,
  start = {},
  quorum = false,
}: { stallLimit?: number; start?: object; quorum?: boolean } = {}): Promise<Context> {
  count += 1
  const namespace = `tenure-${count}`
  const settings = {
    namespace,
    sessionTtl: TTL,
    stallLimit,
    outage: Number.POSITIVE_INFINITY,
    replicas: 0,
    serve: null,
    given: [],
  }
  const mp = new AdapterContext(
    new LinkedAdapter(await supervisorGround({ entry, start, nature: { ...nature, quorum }, namespace, settings })),
    false,
  )
  open.push(mp)
  return mp
}

/** The thread acts on the name as soon as it hears it; the answer comes after that. */
async function please(mp: Context, what: 'lose' | 'lose-locks' | 'mute' | 'interrupt' | 'restore'): Promise<void> {
  await mp.lock(`please-${what}`).locked()
}

function block(time: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, time)
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((mp) => mp.close()))
})

describe('a stopped child', () => {
  it('loses what it holds, is told at once when it goes on, and takes part again', async () => {
    const mp = await connected()
    const lock = mp.lock('one')
    const said = mp.queue<number>()
    const directory = mkdtempSync(join(tmpdir(), 'skein-'))
    const woken = join(directory, 'woken')
    const child = await mp.process(holdThroughStop, [lock, said, woken]).start()
    const pid = await said.get()
    process.kill(pid, 'SIGSTOP')
    const lease = await lock.acquire()
    writeFileSync(woken, '')
    process.kill(pid, 'SIGCONT')
    await lease.release()
    const found = await child.result()
    rmSync(directory, { recursive: true })
    expect(found).toMatchObject({
      atOnce: 'LeaseLostError',
      expiresIn: 0,
      aborted: true,
      released: false,
      again: 'held',
    })
    expect(lease.token).toBeGreaterThan(found.token)
    expect(found.next).toBeGreaterThan(lease.token)
  })

  it('keeps its wish', async () => {
    const mp = await connected()
    const [lock, other] = [mp.lock('one'), mp.lock('two')]
    const said = mp.queue<number>()
    const mine = await lock.acquire()
    const child = await mp.process(waitThroughStop, [lock, other, said]).start()
    const pid = await said.get()
    process.kill(pid, 'SIGSTOP')
    // What it holds is free: it counts as stopped by now.
    await other.acquire()
    await mine.release()
    process.kill(pid, 'SIGCONT')
    expect(await child.result()).toBe('held')
  })
})

describe('a child that computes', () => {
  it('keeps what it holds for many sessionTtls', async () => {
    const mp = await connected()
    const lock = mp.lock('one')
    const said = mp.queue<number>()
    const child = await mp.process(holdAndCompute, [lock, said, TTL * 5]).start()
    await said.get()
    await expect(lock.acquire({ timeout: TTL * 3 })).rejects.toThrow(/not granted/)
    expect(await child.result()).toEqual({ atOnce: 'held', released: true })
  })

  it('loses it after stallLimit', async () => {
    const mp = await connected({ stallLimit: TTL })
    const lock = mp.lock('one')
    const said = mp.queue<number>()
    const child = await mp.process(holdAndCompute, [lock, said, TTL * 6]).start()
    await said.get()
    const lease = await lock.acquire()
    await lease.release()
    expect(await child.result()).toEqual({ atOnce: 'LeaseLostError', released: false })
  })
})

describe('the main program', () => {
  it('keeps what it holds while it is blocked', async () => {
    const mp = await connected()
    const lease = await mp.lock('one').acquire()
    expect(lease.expiresIn).toBeGreaterThan(0)
    expect(lease.expiresIn).toBeLessThanOrEqual(TTL)
    block(TTL * 3)
    lease.assertHeld()
    expect(await lease.release()).toBe(true)
  })

  it('loses it when nobody confirms it any more, and knows without a message', async () => {
    const mp = await connected()
    const lock = mp.lock('one')
    const lease = await lock.acquire()
    const heard = new Promise((resolve) => lease.signal.addEventListener('abort', resolve))
    await please(mp, 'mute')
    await heard
    expect(() => lease.assertHeld()).toThrow(LeaseLostError)
    expect(lease.expiresIn).toBe(0)
    expect(await lease.release()).toBe(false)
  })

  it('knows it after a block, too', async () => {
    const mp = await connected()
    const lease = await mp.lock('one').acquire()
    await please(mp, 'mute')
    block(TTL * 2)
    expect(() => lease.assertHeld()).toThrow(LeaseLostError)
  })

  it('hears of a loss at once, and what is granted later is held', async () => {
    const mp = await connected()
    const [one, two] = [mp.lock('one'), mp.rlock('two')]
    const lease = await one.acquire()
    await two.with(async (outer) => {
      await please(mp, 'lose')
      expect(() => lease.assertHeld()).toThrow(LeaseLostError)
      expect(() => outer.assertHeld()).toThrow(LeaseLostError)
      expect(lease.signal.reason).toMatchObject({ cause: { message: 'the store has lost it' } })
      // Somebody else may hold it by now, so it is not simply entered again.
      expect(await two.tryAcquire()).toBeNull()
    })
    const later = await mp.lock('three').acquire()
    later.assertHeld()
    expect(later.expiresIn).toBeGreaterThan(0)
  })

  it('sees an interruption', async () => {
    const mp = await connected()
    expect(mp.state).toBe('connected')
    await please(mp, 'interrupt')
    expect(mp.state).toBe('suspended')
    await please(mp, 'restore')
    expect(mp.state).toBe('connected')
  })
})

describe('locks that a majority keeps', () => {
  it('are held although the store of everything else is lost, and the other way round', async () => {
    const mp = await connected({ quorum: true })
    const [lease, permit] = [await mp.lock('one').acquire(), await mp.semaphore(1, 'two').acquire()]
    expect(lease.expiresIn).toBeGreaterThan(0)
    await please(mp, 'lose')
    lease.assertHeld()
    expect(() => permit.assertHeld()).toThrow(LeaseLostError)
    const next = await mp.semaphore(1, 'three').acquire()
    await please(mp, 'lose-locks')
    expect(() => lease.assertHeld()).toThrow(LeaseLostError)
    expect(lease.signal.reason).toMatchObject({ cause: { message: 'the majority is gone' } })
    next.assertHeld()
    const later = await mp.lock('four').acquire()
    later.assertHeld()
  })

  it('are lost with everything else when their process is stopped', async () => {
    const mp = await connected({ quorum: true })
    const [lock, other] = [mp.lock('one'), mp.lock('two')]
    const said = mp.queue<number>()
    const mine = await lock.acquire()
    const child = await mp.process(waitThroughStop, [lock, other, said]).start()
    const pid = await said.get()
    process.kill(pid, 'SIGSTOP')
    await other.acquire()
    await mine.release()
    process.kill(pid, 'SIGCONT')
    expect(await child.result()).toBe('held')
  })
})

describe('a delivery', () => {
  it('is acknowledged by a call', async () => {
    const mp = await connected()
    const items = mp.queue<{ n: number }>('items')
    await items.put({ n: 1 })
    const delivery = await items.receive()
    expect(delivery.value).toEqual({ n: 1 })
    expect(delivery.signal.aborted).toBe(false)
    await delivery.ack()
    await items.join()
    await expect(delivery.ack()).rejects.toThrow(LeaseLostError)
  })

  it('is lost with what else the process holds', async () => {
    const mp = await connected()
    const items = mp.queue<string>('items')
    const said = mp.queue<number>()
    const more = mp.queue<string>()
    await items.put('first')
    const child = await mp.process(receiveThenWait, [items, said, more]).start()
    await said.get()
    await please(mp, 'lose')
    await more.put('go on')
    expect(await child.result()).toBe('LeaseLostError, aborted')
  })
})

describe('a backend that cannot be opened', () => {
  it('rejects with its own error, and the next try is another one', async () => {
    await expect(connected({ start: { refuse: new StateError('not today') } })).rejects.toThrow('not today')
    const mp = await connected()
    expect(await mp.lock('one').locked()).toBe(false)
  })
})
