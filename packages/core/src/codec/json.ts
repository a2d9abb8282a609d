/** Values to and from the JSON wire, for stores whose dashboards and prompts show what is in them. */
import { ProtocolError } from '../errors.ts'
import type { Admit, Attach } from './sink.ts'
import { walk } from './walk.ts'
import { isStackOverflow } from './wire/format.ts'
import { JsonReader } from './wire/json-reader.ts'
import { JsonWriter } from './wire/json-writer.ts'

/** As `encode`, to JSON. @throws EncodeError */
export function encodeJson(value: unknown, path = 'value', admit: Admit | null = null): string {
  const writer = new JsonWriter()
  walk(value, writer, path, admit)
  return writer.result()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new ProtocolError(`An encoded value of ${text.length} characters is not JSON.`, { cause })
  }
}

/** As `decode`, from JSON. @throws ProtocolError */
export function decodeJson(text: string, attach: Attach): unknown {
  const tree = parse(text)
  // Inside a JSON string a quote is escaped, so these characters can only be a key: without them there are no tags.
  if (!text.includes('"$":')) return tree
  try {
    return new JsonReader(attach).value(tree)
  } catch (error) {
    if (!isStackOverflow(error)) throw error
    throw new ProtocolError('An encoded value is nested too deeply for the stack that is left here.')
  }
}
