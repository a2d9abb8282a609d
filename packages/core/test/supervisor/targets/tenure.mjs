// What tenure.test.ts runs in children.
import { existsSync } from 'node:fs'

/** What a holder finds out without letting the event loop turn. */
function look(lease) {
  try {
    lease.assertHeld()
    return 'held'
  } catch (error) {
    return error instanceof Error ? error.name : 'thrown'
  }
}

/** Holds the lock and computes until there is such a file; meanwhile it is stopped. */
export async function holdThroughStop(lock, said, path) {
  const lease = await lock.acquire()
  await said.put(process.pid)
  while (!existsSync(path));
  const atOnce = look(lease)
  const { expiresIn } = lease
  const { aborted } = lease.signal
  const released = await lease.release()
  const again = await lock.acquire()
  const news = look(again)
  await again.release()
  return { atOnce, expiresIn, aborted, released, again: news, token: lease.token, next: again.token }
}

/** Waits for the lock while it is stopped, holding another one. */
export async function waitThroughStop(lock, other, said) {
  await other.acquire()
  await said.put(process.pid)
  const lease = await lock.acquire()
  return look(lease)
}

/** Holds the lock and computes, without letting the event loop turn, for so many milliseconds. */
export async function holdAndCompute(lock, said, time) {
  const lease = await lock.acquire()
  await said.put(process.pid)
  for (const end = performance.now() + time; performance.now() < end;);
  return { atOnce: look(lease), released: await lease.release() }
}

/** Holds an item of the queue until another one comes. */
export async function receiveThenWait(items, said, more) {
  const delivery = await items.receive()
  const { signal } = delivery
  await said.put(process.pid)
  await more.get()
  try {
    await delivery.ack()
    return 'acknowledged'
  } catch (error) {
    return `${error instanceof Error ? error.name : 'thrown'}, ${signal.aborted ? 'aborted' : 'silent'}`
  }
}
