/** What the supervisor does with an error of its own: it says so and goes on, since everything in the program hangs on it. */
import { inspect } from 'node:util'

/** @param where what it was doing, as in `a message of process 1234` */
export function reportDefect(where: string, error: unknown): void {
  process.stderr.write(`skein: the supervisor failed on ${where}; please report it: ${inspect(error)}\n`)
}
