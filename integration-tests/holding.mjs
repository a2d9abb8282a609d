/** What a child does that takes a lock, a permit and an item, and then hears nothing for a while. */

/**
 * @typedef {import('@skein/core').Queue<string>} Words
 * @typedef {{ lock: number, permit: number }} Tokens
 */

/** @param {number} milliseconds */
function compute(milliseconds) {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/**
 * Computes with all three in hand, and says what became of them.
 *
 * @param {import('@skein/core').Lock} lock
 * @param {import('@skein/core').Semaphore} permits
 * @param {import('@skein/core').Queue<string>} items
 * @param {import('@skein/core').Queue<Tokens>} held
 * @param {number} milliseconds
 */
export async function holdAndCompute(lock, permits, items, held, milliseconds) {
  const [lease, permit, delivery] = await Promise.all([lock.acquire(), permits.acquire(), items.receive()])
  await held.put({ lock: lease.token, permit: permit.token })
  compute(milliseconds)
  return verdict(lease, permit, delivery)
}

/**
 * As `holdAndCompute`, but waits for a signal of its own, which shows that it runs again.
 *
 * @param {import('@skein/core').Lock} lock
 * @param {import('@skein/core').Semaphore} permits
 * @param {import('@skein/core').Queue<string>} items
 * @param {import('@skein/core').Queue<Tokens>} held
 */
export async function holdUntilWoken(lock, permits, items, held) {
  const [lease, permit, delivery] = await Promise.all([lock.acquire(), permits.acquire(), items.receive()])
  const woken = new Promise((resolve) => process.once('SIGUSR2', resolve))
  await held.put({ lock: lease.token, permit: permit.token })
  const alive = setInterval(() => undefined, 60_000)
  await woken
  clearInterval(alive)
  return verdict(lease, permit, delivery)
}

/**
 * @param {import('@skein/core').Lease} lease
 * @param {import('@skein/core').Lease} permit
 * @param {import('@skein/core').Delivery<string>} delivery
 */
async function verdict(lease, permit, delivery) {
  return {
    lock: attempt(() => lease.assertHeld()),
    permit: attempt(() => permit.assertHeld()),
    aborted: [lease.signal.aborted, permit.signal.aborted, delivery.signal.aborted],
    released: [await lease.release(), await permit.release()],
    acknowledged: await delivery.ack().then(
      () => 'yes',
      (error) => error.name,
    ),
  }
}

/** @param {() => void} look */
function attempt(look) {
  try {
    look()
    return 'held'
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}
