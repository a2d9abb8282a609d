/** Processes and pools whose start somebody else decides on. */
import { type Context, PoolTerminatedError, SpawnError } from '@skein/core'
import { groundNow, LinkedAdapter, type Nature } from '@skein/core/adapter'
import { afterEach, describe, expect, it } from 'vitest'
import { AdapterContext } from '../../dist/context.js'
import { echo } from '../local/targets/process.mjs'

const entry = new URL('./fixtures/placing-entry.mjs', import.meta.url)
const nature: Nature = { kind: 'redis', place: 'placing', scope: 'placing', json: false, confirmed: false }

const open: Context[] = []

function connected(namespace: string): Context {
  const settings = {
    namespace,
    sessionTtl: 500,
    stallLimit: 500,
    outage: Number.POSITIVE_INFINITY,
    replicas: 0,
    serve: null,
    given: [],
  }
  const mp = new AdapterContext(
    new LinkedAdapter(groundNow({ entry, start: null, nature, namespace, settings })),
    false,
  )
  open.push(mp)
  return mp
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((mp) => mp.close()))
})

describe('a placed process', () => {
  it('runs when it is launched', async () => {
    const mp = connected('launched')
    const child = mp.process(echo<number>, [1])
    const started = child.start()
    expect((await child.status()).state).toBe('starting')
    await mp.lock('please-launch').locked()
    await started
    expect(await child.result()).toBe(1)
  })

  it('never runs when it is ended before', async () => {
    const mp = connected('ended')
    const child = mp.process(echo<number>, [1])
    const started = child.start()
    const refused = expect(started).rejects.toThrow(SpawnError)
    await child.terminate()
    await refused
    expect(await child.join()).toMatchObject({ signal: 'SIGKILL' })
  })

  it('does not keep its context from closing', async () => {
    const mp = connected('closing')
    const pool = mp.pool(2)
    const refused = expect(pool.apply(echo<number>, [1])).rejects.toThrow(PoolTerminatedError)
    await pool.terminate()
    await refused
    const other = mp.pool(1)
    expect(other).toBeDefined()
    await mp.close()
  })
})
