/** Short strings from bytes, faster than through the runtime's decoder, whose call costs 50 ns whatever the length. */

/** Keys repeat, so each is kept where its length and some of its bytes say, and compared before it is used again. */
const keys: (string | undefined)[] = Array.from({ length: 1024 })
/** Bytes. */
export const LONGEST_SHORT = 12
const LONGEST_KEPT_KEY = 24

function four(bytes: Uint8Array, at: number): string | null {
  const a = bytes[at] as number
  const b = bytes[at + 1] as number
  const c = bytes[at + 2] as number
  const d = bytes[at + 3] as number
  return (a | b | c | d) < 0x80 ? String.fromCharCode(a, b, c, d) : null
}

/** The `length` bytes at `at` as ASCII text; null if they are not ASCII. All must be within `bytes`. */
export function readAscii(bytes: Uint8Array, at: number, length: number): string | null {
  const end = at + length
  let text = ''
  let i = at
  for (; i + 4 <= end; i += 4) {
    const piece = four(bytes, i)
    if (piece === null) return null
    text += piece
  }
  for (; i < end; i++) {
    const unit = bytes[i] as number
    if (unit >= 0x80) return null
    text += String.fromCharCode(unit)
  }
  return text
}

/** As `readAscii`, for texts that are likely to have been read before. */
export function readKey(bytes: Uint8Array, at: number, length: number): string | null {
  if (length === 0 || length > LONGEST_KEPT_KEY) return null
  const first = bytes[at] as number
  const last = bytes[at + length - 1] as number
  const middle = bytes[at + (length >> 1)] as number
  const slot = (length ^ (first << 2) ^ (last << 5) ^ (middle << 3)) & 1023
  const kept = keys[slot]
  if (kept !== undefined && kept.length === length) {
    let i = 0
    while (i < length && kept.charCodeAt(i) === bytes[at + i]) i++
    if (i === length) return kept
  }
  const text = readAscii(bytes, at, length)
  if (text !== null) keys[slot] = text
  return text
}
