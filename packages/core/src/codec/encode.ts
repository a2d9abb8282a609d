/** Values to the bytes of the local wire. */
import { RemoteError } from '../errors.ts'
import type { Admit } from './sink.ts'
import { walk } from './walk.ts'
import { BinaryWriter } from './wire/binary-writer.ts'

/** One writer serves all calls but those that a getter of the value makes while it is being encoded. */
let idle: BinaryWriter | null = null

/**
 * Encodes a value as it is now; changing it afterwards changes nothing.
 *
 * @param path what messages call the value: with `args`, `args[1].onDone`
 * @param admit looks at each handle in it; `null`: all are admitted
 * @returns bytes in memory of their own
 * @throws EncodeError if something in it cannot cross processes; nothing was sent then
 */
export function encode(value: unknown, path = 'value', admit: Admit | null = null): Uint8Array {
  const writer = idle ?? new BinaryWriter()
  idle = null
  try {
    walk(value, writer, path, admit)
    return writer.result()
  } finally {
    writer.reset()
    idle = writer
  }
}

/**
 * Encodes what was thrown, whatever it is: a thrown value that cannot cross (a function, a class instance) becomes a
 * `RemoteError` that says what it was.
 */
export function encodeThrown(thrown: unknown): Uint8Array {
  try {
    return encode(thrown, 'the thrown value')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'the thrown value cannot be encoded'
    return encode(new RemoteError(`${why}.`, { cause }))
  }
}
