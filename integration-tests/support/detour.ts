/** The ways to a cluster through proxies, one for each master: what a master says of where the masters are is changed to the proxies. */
import { isClustered } from './clustered.ts'
import { ask } from './resp.ts'

/** The urls of all servers that a program speaks to which is given that one; it comes first. */
export async function allBehind(target: string): Promise<readonly string[]> {
  if (!isClustered()) return [target]
  let ranges: readonly [number, number, [string, number]][]
  try {
    ranges = (await ask(target, 'CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
  } catch (error) {
    if (/cluster support disabled/.test(String(error))) return [target]
    throw error
  }
  const urls = ranges.map(([, , [host, port]]) => {
    const url = new URL(target)
    url.host = `${host}:${port}`
    return url.href
  })
  return [...new Set([new URL(target).href, ...urls])]
}

export class Detour {
  /** What a node's address is in the answer to `CLUSTER SLOTS`, and what it is to be. */
  readonly #ways: readonly (readonly [string, string])[]

  /** @param from urls @param to those that stand in place of each */
  constructor(from: readonly string[], to: readonly string[]) {
    this.#ways = from.length < 2 ? [] : from.map((url, at) => [addressed(url), addressed(String(to[at]))])
  }

  /** For one connection: bytes as they come from the server, and what its client is told; an address may come in two pieces. */
  changes(): (bytes: Buffer) => Buffer {
    if (this.#ways.length === 0) return (bytes) => bytes
    let begun = ''
    return (bytes) => {
      let text = begun + bytes.toString('latin1')
      for (const [from, to] of this.#ways) text = text.replaceAll(from, to)
      begun = longest(this.#ways.map(([from]) => beginning(text, from)))
      return Buffer.from(text.slice(0, text.length - begun.length), 'latin1')
    }
  }
}

/** A text of one length and a whole number, one after the other. */
function addressed(url: string): string {
  const { hostname, port } = new URL(url)
  return `$${hostname.length}\r\n${hostname}\r\n:${port}\r\n`
}

/** What the text ends with that the other may go on from. */
function beginning(text: string, of: string): string {
  for (let length = of.length - 1; length > 0; length -= 1) {
    const begun = of.slice(0, length)
    if (text.endsWith(begun)) return begun
  }
  return ''
}

function longest(texts: readonly string[]): string {
  return texts.reduce((most, text) => (text.length > most.length ? text : most), '')
}
