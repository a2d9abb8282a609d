/** The options of `connect()`: checked, with their defaults. */
import type { ConnectSettings } from './contract/adapter-module.ts'
import type { ConnectOptions } from './contract/context.ts'
import { ArgumentError, NotSupportedError } from './errors.ts'
import type { OnDrift } from './target/index.ts'
import { describe } from './util/describe.ts'
import { checkServe } from './serve.ts'
import { checkName } from './util/names.ts'
import { checkInteger, checkOptions } from './util/options.ts'

/** What contexts of one place share. */
const SHARED = ['namespace', 'sessionTtl', 'stallLimit', 'outage', 'replicas', 'serve'] as const
/** What each has for itself. */
const OWN = ['onDrift'] as const

/** Options that one may expect and there are not (decision 38), and what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  defaults: 'options are given with each call; spread an object of your own into them: { ...ours, timeout: 1_000 }',
}

export interface Settings extends ConnectSettings {
  readonly onDrift: OnDrift
}

/** Below this a pause of the collector or of a busy machine would end a session. */
const SHORTEST = 100

/** @throws ArgumentError */
export function checkSettings(options: ConnectOptions | undefined): Settings {
  refuse(options, REFUSED, 'connect()')
  const checked = checkOptions(options, [...SHARED, ...OWN], 'connect()')
  const {
    namespace = 'skein',
    sessionTtl = 5_000,
    stallLimit = 30_000,
    outage = Number.POSITIVE_INFINITY,
    replicas = 0,
    serve,
    onDrift = 'reject',
  } = checked
  checkName(namespace, 'connect(): namespace')
  checkInteger(sessionTtl, { min: SHORTEST, what: 'connect(): sessionTtl, in milliseconds,' })
  checkInteger(stallLimit, { min: SHORTEST, what: 'connect(): stallLimit, in milliseconds,' })
  if (typeof outage !== 'number' || !(outage >= 0)) {
    throw new ArgumentError(
      `connect(): outage must be a number of milliseconds, 0 or more, got ${describe(outage)}; leave it out to wait as long as it takes`,
    )
  }
  checkInteger(replicas, { min: 0, what: 'connect(): replicas' })
  if (onDrift !== 'reject' && onDrift !== 'warn') {
    throw new ArgumentError(
      `connect(): onDrift must be 'reject' (work is refused where its module is another version) or 'warn', got ${describe(onDrift)}`,
    )
  }
  const given = SHARED.filter((name) => checked[name] !== undefined)
  return {
    namespace,
    sessionTtl,
    stallLimit,
    outage,
    replicas,
    serve: serve === undefined ? null : checkServe(serve),
    given,
    onDrift,
  }
}

/** @throws NotSupportedError */
function refuse(options: unknown, refused: Readonly<Record<string, string>>, where: string): void {
  if (typeof options !== 'object' || options === null) return
  for (const [name, instead] of Object.entries(refused)) {
    if (!Object.hasOwn(options, name) || Reflect.get(options, name) === undefined) continue
    throw new NotSupportedError(`${where}: ${name} is not supported; leave it out: ${instead}`)
  }
}
