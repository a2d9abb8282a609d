/** An error of one process, or of one call, stays with it: the supervisor thread goes on for all others. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MessageChannel } from 'node:worker_threads'
import { CapacityError, connect, type Context, SpawnError } from '@skein/core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { BrokerClient } from '../../src/client/broker-client.ts'
import { FrameWriter, op } from '../../src/wire/frame.ts'
import { PortLink } from '../../src/wire/port-link.ts'
import { echo, writeNoise } from './targets/process.mjs'

const FEW_FILES = fileURLToPath(new URL('./targets/few-files.mjs', import.meta.url))

describe('the supervisor on the local adapter', () => {
  let mp: Context

  beforeAll(async () => {
    mp = await connect('local:', { namespace: 'supervisor' })
  })
  afterAll(async () => {
    await mp.close()
  })

  it('survives an environment that is too large for a process', async () => {
    const lock = mp.lock('kept')
    const lease = await lock.acquire()
    const child = mp.process(echo<number>, [1])
    process.env['SKEIN_TEST_LARGE'] = 'x'.repeat(300_000)
    try {
      await expect(child.start()).rejects.toThrow(SpawnError)
      expect(await child.join()).toMatchObject({ reason: 'spawn-failed', exitCode: 1 })
      await expect(child.result()).rejects.toThrow(/E2BIG; the environment/)
    } finally {
      delete process.env['SKEIN_TEST_LARGE']
    }
    expect(await lock.locked()).toBe(true)
    expect(lease.signal.aborted).toBe(false)
    await lease.release()
  })

  it.runIf(process.platform !== 'win32')('survives that no more files can be opened', async () => {
    // Node opens dozens of modules at once when it loads them.
    const script = `ulimit -n 128; exec "$0" "$1"`
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', script, process.execPath, FEW_FILES])
    const seen = JSON.parse(stdout) as { refused: string; result: number; locked: boolean }
    expect(seen).toMatchObject({ result: 2, locked: true })
    expect(seen.refused).toMatch(/^SpawnError: .*EMFILE/)
  })

  it('ends a child that sends what is no frame, and nobody else', async () => {
    const other = mp.lock('other')
    await other.acquire()
    const noisy = await mp.process(writeNoise).start()
    expect(await noisy.join()).toMatchObject({ reason: 'signaled', signal: 'SIGKILL' })
    expect(await other.locked()).toBe(true)
    expect(mp.state).toBe('connected')
  })

  it('refuses a frame that its reader would not take, before anything is written', () => {
    const writer = new FrameWriter()
    const longest = new Uint8Array(2 ** 31 - 1)
    expect(() => writer.add(op.put, 1, 1, undefined, longest)).toThrow(CapacityError)
    expect(writer.bytes).toBe(0)
  })

  it('keeps nothing of a request that cannot be sent', async () => {
    const { port1, port2 } = new MessageChannel()
    const client = new BrokerClient((events) => new PortLink(port1, events, false))
    const kept = vi.spyOn(port1, 'ref')
    const unsendable = (): never => {
      throw new CapacityError('too long')
    }
    await expect(client.request(unsendable)).rejects.toThrow('too long')
    expect(kept).not.toHaveBeenCalled()
    port2.close()
  })
})
