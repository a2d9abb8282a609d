/** Options that are more than a word. */
import { Failure } from './failure.ts'

/** Reads an integer of that range; whatever else stands there is refused with the range. */
export function integerOption(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= min && number <= max) return number
    throw new Failure(2, `${name} takes an integer from ${min} to ${max}, got ${JSON.stringify(text)}`)
  }
}

/** Of an option that may be said several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

/** `--label gpu=yes`, several times. */
export function collectLabel(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (key === undefined || value === undefined) {
    throw new Failure(2, `--label takes key=value, as in gpu=yes, got ${JSON.stringify(text)}`)
  }
  return { ...before, [key]: value }
}
