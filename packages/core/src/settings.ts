/** The options of `connect()`: checked, with their defaults. */
import type { ConnectSettings } from './contract/adapter-module.ts'
import type { ConnectOptions } from './contract/context.ts'
import { ArgumentError } from './errors.ts'
import { describe } from './util/describe.ts'
import { checkName } from './util/names.ts'
import { checkInteger, checkOptions } from './util/options.ts'

const NAMES = ['namespace', 'sessionTtl', 'stallLimit', 'outage', 'serve']

/** Below this a pause of the collector or of a busy machine would end a session. */
const SHORTEST = 100

/** @throws ArgumentError */
export function checkSettings(options: ConnectOptions | undefined): ConnectSettings {
  const {
    namespace = 'skein',
    sessionTtl = 5_000,
    stallLimit = 30_000,
    outage = Number.POSITIVE_INFINITY,
    serve = null,
  } = checkOptions(options, NAMES, 'connect()')
  checkName(namespace, 'connect(): namespace')
  checkInteger(sessionTtl, { min: SHORTEST, what: 'connect(): sessionTtl, in milliseconds,' })
  checkInteger(stallLimit, { min: SHORTEST, what: 'connect(): stallLimit, in milliseconds,' })
  if (typeof outage !== 'number' || !(outage >= 0)) {
    throw new ArgumentError(
      `connect(): outage must be a number of milliseconds, 0 or more, got ${describe(outage)}; leave it out to wait as long as it takes`,
    )
  }
  return { namespace, sessionTtl, stallLimit, outage, serve: checkServe(serve) }
}

function checkServe(serve: unknown): ConnectSettings['serve'] {
  if (serve === null || typeof serve === 'boolean') return serve
  if (typeof serve !== 'object') {
    throw new ArgumentError(
      `connect(): serve must be true, false or { slots }, got ${describe(serve)}; leave it out to run what this program starts`,
    )
  }
  const { slots = Number.POSITIVE_INFINITY } = checkOptions(serve as { slots?: number }, ['slots'], 'connect(): serve')
  if (slots !== Number.POSITIVE_INFINITY) checkInteger(slots, { min: 1, what: 'connect(): serve.slots' })
  return { slots }
}
