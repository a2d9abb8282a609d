/** Answers a call whose answer takes a while, and which does not wait for anybody. */
import type { Call } from '@skein/core/adapter'

/** The process may have ended by the time; then nobody hears it. @param done default: the answer is the value */
export async function answer<T>(
  call: Call,
  work: () => Promise<T>,
  done: (value: T) => void = (value) => call.ok(value),
): Promise<void> {
  let value: T
  try {
    value = await work()
  } catch (error) {
    call.fail(error as Error)
    return
  }
  done(value)
}
