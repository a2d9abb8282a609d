/**
 * What a program says of itself in its session. Programs of every protocol read it, as they do the sessions themselves: further fields may come,
 * and none of these ever goes or means something else.
 */
import type { Labels } from '@skein/core'
import { PROTOCOL, VERSION } from '@skein/core/adapter'

/** What a program that serves offers others. */
interface Offer {
  readonly slots: number
  readonly labels: Labels
}

export interface About {
  readonly sid: string
  readonly program: string
  readonly pid: number
  readonly host: string
  /** When its session began, on its own clock in ms. */
  readonly since: number
  /** Of the key that it signs with; `null`: it signs nothing. */
  readonly key: string | null
  /** See `PROTOCOL`. */
  readonly protocol: number
  readonly version: string
  /** `null`: it serves nobody. */
  readonly serve: Offer | null
}

/** `null`: a stranger has written there. */
export function readAbout(sid: string, json: string): About | null {
  let said: unknown
  try {
    said = JSON.parse(json)
  } catch {
    return null
  }
  const about = (said ?? {}) as Record<string, unknown>
  const { program = sid, pid, host, since, key = null, protocol = 0, version = 'unknown', serve } = about
  if (typeof program !== 'string' || typeof pid !== 'number' || typeof host !== 'string' || typeof since !== 'number')
    return null
  return {
    sid,
    program,
    pid,
    host,
    since,
    key: typeof key === 'string' ? key : null,
    protocol: Number(protocol),
    version: String(version),
    serve: readOffer(serve),
  }
}

function readOffer(serve: unknown): Offer | null {
  if (typeof serve !== 'object' || serve === null) return null
  const { slots, labels } = serve as Record<string, unknown>
  return {
    // JSON knows no infinity.
    slots: typeof slots === 'number' ? slots : Number.POSITIVE_INFINITY,
    labels: Object.fromEntries(Object.entries(labels ?? {}).map(([name, value]) => [name, String(value)])),
  }
}

/** What a program is that this one does not understand, for people. */
export const reasons = {
  foreign: (): string => 'it has another SKEIN_SECRET, or one of the two has none',
  incompatible: ({ version, protocol }: Pick<About, 'version' | 'protocol'>): string =>
    `it is Skein ${version} and speaks protocol ${protocol}, and this program is Skein ${VERSION} and speaks protocol ${PROTOCOL}`,
}

/** Why this program and that one have nothing to say to each other; `null`: they have. */
export function apart(
  { key, protocol }: Pick<About, 'key' | 'protocol'>,
  own: string | null,
): keyof typeof reasons | null {
  if (protocol !== PROTOCOL) return 'incompatible'
  return key === own ? null : 'foreign'
}
