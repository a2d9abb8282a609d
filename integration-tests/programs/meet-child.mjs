// What the children of meet.mjs run.
export async function sleep(ms) {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

export function answer(n) {
  return n * 2
}
