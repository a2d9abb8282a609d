/** Labels: what a host says of itself, and what a start asks of its host. */
import type { Labels } from '../contract/host.ts'
import { ArgumentError } from '../errors.ts'
import { describe } from './describe.ts'

const TOKEN = /^[A-Za-z0-9_.:/-]{1,128}$/

/**
 * A copy on a null prototype, in the order of the names, so that the same labels are written the same way everywhere.
 *
 * @param what opens the sentence: `connect(): serve.labels`
 * @throws ArgumentError
 */
export function checkLabels(labels: unknown, what: string): Labels {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) {
    throw new ArgumentError(`${what} must be an object such as { gpu: 'yes' }, got ${describe(labels)}`)
  }
  const own: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(labels).toSorted(byName)) {
    for (const token of [name, value]) {
      if (typeof token === 'string' && TOKEN.test(token)) continue
      throw new ArgumentError(
        `${what}: names and values have 1 to 128 letters, digits or _ . : / -, got ${describe(name)}: ${describe(value)}`,
      )
    }
    own[name] = value as string
  }
  return own
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : Number(one > other)
}
