/** Opening a context. */
import { createRequire } from 'node:module'
import type { Adapter } from './contract/adapter.ts'
import type { AdapterModule, ConnectSettings } from './contract/adapter-module.ts'
import type { ConnectOptions, Context } from './contract/context.ts'
import type { Store } from './contract/store.ts'
import { AdapterContext } from './context.ts'
import { childHome, noteOpen } from './current-process.ts'
import { NotSupportedError } from './errors.ts'
import { openLocal, openMeeting } from './local/local-adapter.ts'
import { type Place, placeOf } from './place.ts'
import { checkSettings } from './settings.ts'

/** Typed as text, so that the compiler does not look for a package that may not be there. */
const REDIS: string = '@skein/redis-adapter'

/**
 * Opens a context. In a process that Skein has started, the same or no url gives the context that the process belongs to; a fresh one of the
 * same namespace once that is closed.
 *
 * @param url `local:` (this program and what it starts), `local:NAME` (all programs of this user on this machine that name it), `redis://…` or `rediss://…` (every machine that reaches it), `redis+sentinel://…/name` (the master behind Sentinels), or an array of those: independent
 * servers, on a majority of which locks are taken while everything else lives on the first; or what `redis(…)` of the adapter gives.
 * Default: the environment variable `SKEIN_URL`, else `local:`
 * @throws ArgumentError on a url of an unknown kind or an unknown option
 * @throws ConflictError if another context of this process has the same place and namespace with other settings than those asked for
 * @throws NotSupportedError if the package for the url is not installed, or is of another version, or the server is of a kind that does not serve
 * @throws ConnectionError if the server cannot be reached within 5 s; AuthenticationError, TlsError and ProtocolError are kinds of it
 */
export async function connect(url?: string | readonly string[] | Store, options?: ConnectOptions): Promise<Context> {
  const { onDrift, ...settings } = checkSettings(options)
  const place = placeOf(url ?? (process.env['SKEIN_URL'] || 'local:'))
  const home = childHome()
  if (home !== null && (url === undefined || (place.name === home.place && !home.lost))) {
    if (options?.namespace === undefined || settings.namespace === home.namespace) return home.context()
  }
  const adapter =
    place.kind === 'local'
      ? await local(place, settings)
      : await (
          await redisAdapter(place.urls)
        ).open(place.urls, {
          ...settings,
          place: place.name,
          quorum: place.quorum,
          details: place.details,
        })
  const made = new AdapterContext(adapter, false, onDrift)
  // Of a child the contexts of its home are known, as long as it has one.
  if (home === null) noteOpen(made)
  return made
}

async function local({ name, meeting }: Place, settings: ConnectSettings): Promise<Adapter> {
  return meeting === null ? openLocal(name, settings) : openMeeting(meeting, name, settings)
}

async function redisAdapter([url = '']: readonly string[]): Promise<AdapterModule> {
  try {
    const module = (await import(REDIS)) as AdapterModule
    checkVersions()
    return module
  } catch (error) {
    // What the package itself fails to find is another matter.
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${REDIS}'`)) throw error
    throw new NotSupportedError(
      `connect(): ${url.slice(0, url.indexOf(':'))}:// needs the package ${REDIS}; install it beside @skein/core`,
      {
        cause: error,
      },
    )
  }
}

/** Each is built on the insides of the other, and they are released together. @throws NotSupportedError */
function checkVersions(): void {
  const [own, other] = [versionIn('../package.json'), versionIn(`${REDIS}/package.json`)]
  if (own === other || own === null || other === null) return
  throw new NotSupportedError(
    `connect(): @skein/core is ${own}, and ${REDIS} is ${other}; install both in the same version`,
  )
}

/** `null` where there is no such file, as in a bundle. */
function versionIn(manifest: string): string | null {
  try {
    return (createRequire(import.meta.url)(manifest) as { readonly version: string }).version
  } catch {
    // Whoever bundles both takes them from one installation.
    return null
  }
}
