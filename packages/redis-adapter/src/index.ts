/** The Redis adapter, as `connect('redis://…')` of `@skein/core` loads it. */
import { type Adapter, LinkedAdapter, type Nature, type OpenOptions, supervisorGround } from '@skein/core/adapter'
import { NotSupportedError } from '@skein/core'
import { serverOf, type ThreadStart } from './options.ts'

const ENTRY = new URL('./supervisor/entry.js', import.meta.url)

/**
 * Opens an adapter. Redis is spoken to by the program's supervisor thread alone: neither the main program nor its children ever
 * see the client, the url or the password.
 *
 * @param urls one or more, checked by `connect()`
 * @throws ConnectionError within 5 s if the server cannot be reached; AuthenticationError, TlsError and ProtocolError are kinds of it
 * @throws NotSupportedError, StateError if the server is not one that can serve
 */
export async function open(urls: readonly string[], options: OpenOptions): Promise<Adapter> {
  const { scope, quorum, ...settings } = options
  const [first, ...others] = urls.map(serverOf)
  if (first === undefined) throw new TypeError('open() needs a url')
  if (settings.serve !== null) {
    throw new NotSupportedError(
      `serve: ${settings.serve} is not there yet; leave it out, and each program runs what it starts`,
    )
  }
  const start: ThreadStart = { servers: [first, ...others], quorum }
  const nature: Nature = { kind: 'redis', scope, json: true, confirmed: true, quorum }
  return new LinkedAdapter(await supervisorGround(ENTRY, start, nature, settings.namespace, settings))
}
