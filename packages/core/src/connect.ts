/** Opening a context. */
import type { ConnectOptions, Context } from './contract/context.ts'
import { AdapterContext } from './context.ts'
import { childHome, isMainProcess, noteOpen } from './current-process.ts'
import { ArgumentError, NotSupportedError } from './errors.ts'
import { LocalAdapter } from './local/local-adapter.ts'
import { LocalSupervisor } from './local/local-supervisor.ts'
import { checkName } from './util/names.ts'
import { describe } from './util/describe.ts'
import { checkOptions } from './util/options.ts'

const LOCAL = 'local:'

/**
 * Opens a context. In a process that Skein has started, the same or no url gives the context that the process belongs to; a fresh one of the
 * same namespace once that is closed.
 *
 * @param url `local:` (this machine); default: the environment variable `SKEIN_URL`, else `local:`
 * @throws ArgumentError on a url of an unknown kind or an unknown option
 */
export async function connect(url?: string, options?: ConnectOptions): Promise<Context> {
  const { namespace = 'skein' } = checkOptions(options, ['namespace'], 'connect()')
  checkName(namespace, 'connect(): namespace')
  const place = url ?? (process.env['SKEIN_URL'] || LOCAL)
  if (typeof place !== 'string')
    throw new ArgumentError(`connect() takes a url like "${LOCAL}", got ${describe(place)}`)
  if (place !== LOCAL) throw unknown(place)
  const home = childHome()
  if (home !== null && (options?.namespace === undefined || namespace === home.namespace)) return home.context()
  const made = new AdapterContext(new LocalAdapter(LocalSupervisor.ground(namespace)), false)
  if (isMainProcess) noteOpen(made)
  return made
}

function unknown(url: string): Error {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? ''
  if (/^(?:redis|rediss|redis\+sentinel|redis\+cluster):$/.test(scheme)) {
    return new NotSupportedError(
      `connect(): ${scheme}// needs the package @skein/redis-adapter; install it beside @skein/core`,
    )
  }
  return new ArgumentError(`connect() knows ${LOCAL} for this machine, got ${describe(scheme === '' ? url : scheme)}`)
}
