/**
 * The binary wire: one byte of format and flags, then one value in MessagePack (nil, bool, int, float 64, str, bin, array, map).
 * What MessagePack has no word for starts with its never-used byte 0xc1 and a code: the codes below, or an extension's, followed
 * by an array of its parts (a single part stands alone). Containers nest, so nothing is built twice and nothing needs escaping.
 *
 * Own code and no MessagePack library, because walking and writing in one pass reads a value once; because a library costs every
 * child 10 to 20 ms at its start; and because the usual ones lose -0 and lone surrogates, rename `__proto__`, and on reading
 * compile code out of the bytes.
 */

/** Upper four bits of the first byte. */
export const FORMAT = 1
/** Lower bits: the value has references, so the reader must number the objects it makes. */
export const HAS_REFERENCES = 1

export const TAG = 0xc1
export const UNDEFINED = 0
/** A str with the decimal digits. */
export const BIGINT = 1
/** An int: the number of an object that was already opened, in the order of opening. */
export const REFERENCE = 2
/** A bin of UTF-16 (little-endian) code units: a string with lone surrogates, which UTF-8 cannot express. */
export const UTF16 = 3

/** Containers within containers, on either wire; deeper values would overflow somebody's stack. */
export const MAX_DEPTH = 1000
/** A longer array with holes costs nothing to send and for ever to iterate. */
export const MAX_SPARSE = 0x1000000

/** 1,000 levels take half of a stack of the usual size, so a caller that is deep in its own may not have that much left. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack')
}
