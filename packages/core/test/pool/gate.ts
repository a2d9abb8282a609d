/** Targets that a test can hold and let go, since they run in its own process. */
import { deferred, type Deferred } from '../../src/util/deferred.ts'

const gates = new Map<string, Deferred<unknown>>()
const started = new Map<string, Deferred<void>>()

function gate<T>(of: Map<string, Deferred<T>>, name: string): Deferred<T> {
  let found = of.get(name)
  if (found === undefined) {
    found = deferred<T>()
    of.set(name, found)
  }
  return found
}

/** A target: runs until `open(name)`. */
export async function held(name: string): Promise<unknown> {
  gate(started, name).resolve()
  return gate(gates, name).promise
}

export function open(name: string, value: unknown = name): void {
  gate(gates, name).resolve(value)
}

/** Resolves when a task holds at the gate, and the event loop has turned since. */
export async function holds(name: string): Promise<void> {
  await gate(started, name).promise
  await new Promise((resume) => {
    setImmediate(resume)
  })
}

/** Closes all gates. */
export function reset(): void {
  gates.clear()
  started.clear()
}
