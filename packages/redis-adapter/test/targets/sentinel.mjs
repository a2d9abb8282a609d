export async function give(queue, item) {
  await queue.put(item)
}
