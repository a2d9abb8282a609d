/** Which master of a cluster has which keys: by the hash of what stands in braces. */
import type { Redis } from 'ioredis'

const SLOTS = 16_384

export interface Address {
  readonly host: string
  readonly port: number
}

/** For each slot its master; `undefined`: none. */
export type SlotMap = readonly (Address | undefined)[]

/** CRC-16/XMODEM, as the cluster specification of Redis says. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80_00) === 0 ? crc << 1 : (crc << 1) ^ 0x10_21
  return crc
})

/** What a key is placed by: what stands between its first `{` and the `}` behind it, or all of it. */
export function tagOfKey(key: string): string {
  const from = key.indexOf('{')
  const to = from < 0 ? -1 : key.indexOf('}', from + 1)
  return to > from + 1 ? key.slice(from + 1, to) : key
}

export function slotOf(key: string): number {
  let crc = 0
  for (const byte of Buffer.from(tagOfKey(key))) {
    crc = ((crc << 8) & 0xff_ff) ^ (TABLE[((crc >> 8) ^ byte) & 0xff] as number)
  }
  return crc % SLOTS
}

/** @param asked where the answer comes from: a node that does not know its own name leaves it out */
export async function readSlots(client: Redis, asked: Address): Promise<SlotMap> {
  const ranges = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string | null, number]][]
  const map: (Address | undefined)[] = Array.from({ length: SLOTS })
  for (const [first, last, [name, port]] of ranges) {
    const host = name === null || name === '' || name === '?' ? asked.host : name
    for (let slot = first; slot <= last; slot += 1) map[slot] = { host, port }
  }
  return map
}
