/** Who may make a program run things: the secret, and when there must be one. */
import { connect } from '@skein/core'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { freshNamespace, redisForTest } from '../../../integration-tests/support/redis.ts'
import { readSecret } from '../src/secret.ts'

const SECRET = 'correct horse battery staple, and more'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('SKEIN_SECRET', () => {
  it.each(['short', ' '.repeat(40), `${'x'.repeat(31)} `])('%j is refused without being shown', (secret) => {
    const refused = (): string => readSecret({ SKEIN_SECRET: secret })
    expect(refused).toThrow(/SKEIN_SECRET has \d+ bytes and must have 32 or more; .*openssl rand/)
    expect(refused).not.toThrow('short')
  })

  it('is needed by who serves a store that other machines reach', async () => {
    const far = connect('redis://:geheim@192.0.2.1:6379', { serve: true })
    await expect(far).rejects.toMatchObject({ code: 'ERR_SKEIN_ARGUMENT' })
    await expect(far).rejects.toThrow(
      /redis:\/\/192\.0\.2\.1:6379 could make this machine run .*SKEIN_SECRET.*unsigned: true/,
    )
    await expect(far).rejects.not.toThrow('geheim')
  })

  it.each([
    ['with a secret', SECRET, true],
    ['where that is allowed out loud', '', { unsigned: true }],
    ['by who runs nothing for others', '', undefined],
  ])('is no hindrance %s', async (_, secret, serve) => {
    vi.stubEnv('SKEIN_SECRET', secret)
    const error: unknown = await connect('rediss://localhost.invalid', { serve }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_SKEIN_CONNECTION' })
  })

  it('of one process is one for each store', async () => {
    const { url } = await redisForTest()
    const namespace = freshNamespace()
    const first = await connect(url, { namespace })
    onTestFinished(() => first.close())
    vi.stubEnv('SKEIN_SECRET', SECRET)
    await expect(connect(url, { namespace })).rejects.toThrow(/another SKEIN_SECRET/)
    expect(first.state).toBe('connected')
  })
})
