/** Bytes of the local wire to values. */
import { ProtocolError } from '../errors.ts'
import type { Attach } from './sink.ts'
import { BinaryReader } from './wire/binary-reader.ts'
import { isStackOverflow } from './wire/format.ts'

/**
 * @param bytes all of one encoded value; they are copied, so their memory may be used again
 * @param attach makes the handle for a reference; what it throws is thrown on
 * @throws ProtocolError if the bytes are anything but one whole value
 */
export function decode(bytes: Uint8Array, attach: Attach): unknown {
  try {
    return new BinaryReader(bytes, attach).read()
  } catch (error) {
    if (!isStackOverflow(error)) throw error
    throw new ProtocolError('An encoded value is nested too deeply for the stack that is left here.')
  }
}
