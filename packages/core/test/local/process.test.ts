/** The edges of a process's life: starts that never happen, ends that were long ago. */
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Context, type Process, StateError } from '@skein/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Broker } from '../../src/supervisor/broker/broker.ts'
import { echo, endSlowly, fill, makeUnstarted, openSecondNamespace, stateOf } from './targets/process.mjs'

describe('a process on the local adapter', () => {
  let mp: Context

  beforeAll(async () => {
    mp = await connect('local:', { namespace: 'process' })
  })
  afterAll(async () => {
    await mp.close()
  })

  it('is as it was after a start with an aborted signal', async () => {
    const child = mp.process(echo<number>, [1])
    await expect(child.start({ signal: AbortSignal.abort(new Error('not now')) })).rejects.toThrow('not now')
    await expect(child.join({ timeout: 5_000 })).rejects.toThrow(StateError)
    await child.start()
    expect(await child.result()).toBe(1)
  })

  it('is as it was after a start in a directory that is gone', async () => {
    const child = mp.process(echo<number>, [2])
    const home = process.cwd()
    const gone = mkdtempSync(join(tmpdir(), 'skein-'))
    process.chdir(gone)
    rmdirSync(gone)
    try {
      await expect(child.start()).rejects.toThrow(/cwd|directory/)
    } finally {
      process.chdir(home)
    }
    await expect(child.join({ timeout: 5_000 })).rejects.toThrow(StateError)
    await child.start()
    expect(await child.result()).toBe(2)
  })

  it('does not keep its context from closing when it was destroyed before its start', async () => {
    const other = await connect('local:', { namespace: 'process' })
    const child = other.process(echo<number>, [3])
    await child.destroy()
    await expect(child.start()).rejects.toThrow(/was destroyed/)
    await other.close()
  })

  it('has a second start refused', async () => {
    const child = await mp.process(echo<number>, [1]).start()
    await expect(child.start()).rejects.toThrow(/started already|has ended/)
    expect(await child.result()).toBe(1)
  })

  it('gets all the time that an endless grace gives it', async () => {
    const said = mp.queue<string>()
    const child = await mp.process(endSlowly, [said]).start()
    await said.get()
    const asked = performance.now()
    await child.terminate({ grace: Number.POSITIVE_INFINITY })
    expect(performance.now() - asked).toBeGreaterThanOrEqual(199)
    expect(await child.join()).toMatchObject({ signal: 'SIGTERM', reason: 'signaled' })
  })

  it('can be destroyed when it has ended', async () => {
    const child = await mp.process(echo<number>, [1]).start()
    await child.join()
    await child.destroy()
    expect(await child.result()).toBe(1)
  })

  it('ends by the signal although it has a supervisor of its own', async () => {
    const said = mp.queue<string>()
    const child = await mp.process(openSecondNamespace, [said]).start()
    await said.get()
    await child.terminate()
    expect(await child.join()).toEqual({ exitCode: -15, signal: 'SIGTERM', reason: 'signaled' })
  })

  it('is gone with its creator when it was never started', async () => {
    const queue = mp.queue<Process<number>>()
    const creator = await mp.process(makeUnstarted, [queue]).start()
    const child = await queue.get()
    await creator.join()
    await expect(child.status()).rejects.toThrow(StateError)
  })

  it('keeps its results, and those who come late find the last of them, not all without end', async () => {
    const made: Process<Uint8Array>[] = []
    for (let i = 0; i < 3; i += 1) {
      const child = await mp.process(fill, [17 * 1024 * 1024]).start()
      expect(await child.join()).toMatchObject({ reason: 'returned' })
      made.push(child)
    }
    const [first, , last] = made as [Process<Uint8Array>, Process<Uint8Array>, Process<Uint8Array>]
    const [late, early] = await Promise.all([last, first].map((child) => mp.process(stateOf, [child]).start()))
    expect(await late?.result()).toBe('ended')
    await expect(early?.result()).rejects.toThrow(/ended long ago/)
    expect((await first.result()).length).toBe(17 * 1024 * 1024)
  })

  it('is not made anew by a handle that comes after its record is gone', () => {
    const info = { id: 'main', name: 'main', pid: 1, host: 'here' }
    const broker = new Broker({
      process: () => {
        throw new Error('was made anew')
      },
    })
    const open = (): unknown =>
      broker.open(broker.session(info), { kind: 'process', name: 'main.1', spec: null, attach: true })
    expect(open).toThrow(/ended long ago/)
  })
})
