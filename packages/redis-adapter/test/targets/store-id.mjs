export async function fill(first, second) {
  await first.put('first')
  await second.put('second')
}
