/** JSON of values that JSON has, and a sentence about the others: nothing is left out in silence. */
import { Failure } from '../failure.ts'

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** @throws Failure naming what JSON does not have, and where it is */
export function checkJson(value: unknown, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return
  if (typeof value !== 'object') refuse(typeof value === 'number' ? String(value) : typeof value, path)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Array.isArray(value)) for (const [index, item] of value.entries()) checkJson(item, `${path}[${index}]`)
  else if (prototype !== Object.prototype && prototype !== null) refuse(value.constructor.name, path)
  else for (const [key, item] of Object.entries(value)) checkJson(item, `${path}.${key}`)
}

function refuse(what: string, path: string): never {
  throw new Failure(1, `${path} is ${what}, which JSON has not; without --json it is shown as Node prints it`)
}
