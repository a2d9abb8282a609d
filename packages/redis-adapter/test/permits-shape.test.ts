/** Locks and semaphores of several programs on one Redis: what is seen of them, their shapes and their ends. */
import { ConflictError, StateError } from '@skein/core'
import { expect, test } from 'vitest'
import { namespace, program, server, standing } from './permits-fixture.ts'

test('holder() and value() see all programs', async () => {
  const [a, b] = [await program(), await program()]
  const [keeper, asker] = [a.process('keeper'), b.process()]
  const mine = keeper.permits('semaphore', 's', 3)
  const theirs = asker.permits('semaphore', 's', 3)
  expect(await theirs.holder()).toBeNull()
  const token = await mine.acquire({ permits: 2 })
  await mine.acquire()
  const { id: process, name, pid, host } = keeper.session.process
  expect(await theirs.holder()).toEqual({ process, name, pid, host, token })
  expect(await theirs.value()).toBe(0)
  mine.release(token)
  expect(await mine.value()).toBe(2)
})

test('one name with two numbers of permits is a conflict, in this program or another', async () => {
  const [a, b] = [await program(), await program()]
  await a.process().permits('semaphore', 's', 3).acquire()
  await expect(a.process().permits('semaphore', 's', 4).acquire()).rejects.toBeInstanceOf(ConflictError)
  await expect(b.process().permits('semaphore', 's', 4).tryAcquire()).rejects.toBeInstanceOf(ConflictError)
})

test('a destroyed lock tells all who hold or wait; the name is free for another one', async () => {
  const [a, b] = [await program(), await program()]
  const [mine, theirs] = [a.process().lock('x'), b.process().lock('x')]
  const token = await mine.acquire()
  const waiting = expect(theirs.acquire()).rejects.toBeInstanceOf(StateError)
  await standing('x', 1)
  await mine.destroy()
  await waiting
  expect(theirs.gone?.message).toBe('lock "x" was destroyed by main')
  const [fresh, again] = [a.process().lock('x'), b.process().lock('x')]
  const next = await again.acquire()
  expect(next).toBeGreaterThan(token)
  expect(await fresh.tryAcquire()).toBeNull()
})

test('an anonymous lock takes its keys along when its creator ends', async () => {
  const a = await program()
  const creator = a.process()
  const name = `~${creator.session.process.id}-1`
  await creator.lock(name).acquire()
  await creator.permits('semaphore', name, 2).acquire()
  creator.kill()
  await expect.poll(() => server.ask('KEYS', `{${namespace}:*`)).toEqual([])
})
