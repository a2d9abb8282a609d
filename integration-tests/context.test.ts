/** Contexts of one program: what they share, and what not. */
import { connect } from '@skein/core'
import { expect, test } from 'vitest'

test('two contexts of one namespace meet by name, two namespaces do not', async () => {
  const [here, too, elsewhere] = [
    await connect('local:', { namespace: 'one' }),
    await connect('local:', { namespace: 'one' }),
    await connect('local:', { namespace: 'two' }),
  ]
  await here.queue<number>('shared').put(1)
  expect(await elsewhere.queue<number>('shared').tryGet()).toBeNull()
  expect(await too.queue<number>('shared').get()).toBe(1)
  for (const context of [here, too, elsewhere]) await context.close()
})

test('without a url it is SKEIN_URL, else local', async () => {
  const before = process.env['SKEIN_URL']
  try {
    delete process.env['SKEIN_URL']
    const context = await connect()
    expect(context).toMatchObject({ kind: 'local', namespace: 'skein', state: 'connected' })
    await context.close()
    process.env['SKEIN_URL'] = 'gopher://localhost'
    await expect(connect()).rejects.toThrow('gopher')
  } finally {
    if (before === undefined) delete process.env['SKEIN_URL']
    else process.env['SKEIN_URL'] = before
  }
})

test('closing one context leaves another working', async () => {
  const [one, other] = [await connect('local:'), await connect('local:')]
  const queue = other.queue<number>()
  await one.close()
  await queue.put(1)
  expect(await queue.get()).toBe(1)
  await other.close()
})
