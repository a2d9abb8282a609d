// What programs of two builds have run by each other.
import process from 'node:process'

export function hostPid() {
  return process.ppid
}

export function nodeMajor() {
  return Number(process.versions.node.split('.')[0])
}

/** Answers what it is asked, until it is asked for nothing. */
export async function answer(asked, lock, answered) {
  for await (const { ask } of asked) {
    if (ask === null) throw new RangeError('asked for nothing')
    await lock.with(() => answered.put(ask * ask))
  }
}

export function square(n) {
  if (n < 0) throw new RangeError(`${n} is less than nothing`)
  return n * n
}
