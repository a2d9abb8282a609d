// What the tests of the local queue and pipe run in children. Plain JavaScript, so that a child starts without a loader.

/** @param {import('@skein/core').Queue<number>} queue @param {number} count */
export async function takeThenReturn(queue, count) {
  let last = -1
  for (let n = 0; n < count; n += 1) last = await queue.get()
  return last
}

/** @param {import('@skein/core').Queue<number>} queue @param {number} count */
export async function takeThenExit(queue, count) {
  for (let n = 0; n < count; n += 1) await queue.get()
  process.exit(0)
}

/** @param {import('@skein/core').Queue<number>} queue @param {import('@skein/core').Queue<string>} said @param {number} count */
export async function takeThenCompute(queue, said, count) {
  for (let n = 0; n < count; n += 1) await queue.get()
  await said.put('computing')
  for (;;);
}

/** Takes what there is while others may be blocked; when it had the last item, on the machine's monotonic clock. @param {import('@skein/core').Queue<number>} queue @param {number} count */
export async function drain(queue, count) {
  const items = []
  while (items.length < count) items.push(await queue.get())
  return { items, at: process.hrtime.bigint() }
}

/** Puts one small item, then one that no socket takes at once. @param {import('@skein/core').Queue<Uint8Array>} queue @param {number} bytes */
export async function putSmallThenLarge(queue, bytes) {
  await queue.put(new Uint8Array(1))
  try {
    await queue.put(new Uint8Array(bytes))
    return 'put'
  } catch (error) {
    return error instanceof Error ? error.name : 'thrown'
  }
}
