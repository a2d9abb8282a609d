/** Names of objects: what people give. */
import { ArgumentError } from '../errors.ts'
import { describe } from './describe.ts'

const LONGEST = 128

/** @throws ArgumentError unless the name is 1 to 128 of the characters `A-Z a-z 0-9 _ . : -` */
export function checkName(name: unknown, where: string): string {
  const allowed = 'a name has 1 to 128 of the characters A-Z a-z 0-9 _ . : -'
  if (typeof name !== 'string') throw new ArgumentError(`${where}: ${allowed}, got ${describe(name)}`)
  if (name.length === 0 || name.length > LONGEST) {
    throw new ArgumentError(`${where}: ${allowed}, got ${name.length} characters`)
  }
  const bad = /[^A-Za-z0-9_.:-]/u.exec(name)
  if (bad !== null) throw new ArgumentError(`${where}: ${allowed}, got ${describe(name)} with ${describe(bad[0])}`)
  return name
}
