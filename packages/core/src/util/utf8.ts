/** Cutting UTF-8. */

/** The last end of a character at or before `at`: bytes that go on one begin with the bits 10. */
export function endOfCharacters(bytes: Uint8Array, at: number): number {
  let end = at
  while (end > 0 && at - end < 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return end
}
