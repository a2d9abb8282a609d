/** A consumer of a joinable queue, which is killed at any moment. */

/**
 * @param {import('@skein/core').JoinableQueue<number>} queue
 * @param {import('@skein/core').Queue<number>} done
 * @param {number} pace milliseconds that an item takes, at most
 */
export async function workOff(queue, done, pace) {
  for (;;) {
    const item = await queue.get()
    const until = performance.now() + Math.random() * pace
    while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve))
    await done.put(item)
    await queue.taskDone()
  }
}
