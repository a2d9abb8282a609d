/** The Redis adapter, as `connect('redis://…')` of `@skein/core` loads it. */
import { ArgumentError } from '@skein/core'
import {
  type Adapter,
  LinkedAdapter,
  type Nature,
  type OpenOptions,
  supervisorGround,
  surroundings,
} from '@skein/core/adapter'
import { accessOf, serverOf, type ThreadStart } from './options.ts'
import { checkServing, readSecret } from './secret.ts'

export { redis, type RedisInstance, type RedisServer, type RedisServerOptions } from './redis.ts'

const ENTRY = new URL('./supervisor/entry.js', import.meta.url)

/**
 * Opens an adapter. Redis is spoken to by the program's supervisor thread alone: neither the main program nor its children ever
 * see the client, the url or the password.
 *
 * @param urls one or more, checked by `connect()`
 * @throws ConnectionError within 5 s if the server cannot be reached; AuthenticationError, TlsError and ProtocolError are kinds of it
 * @throws NotSupportedError, StateError if the server is not one that can serve
 * @throws ArgumentError if the secret is none, or if other machines could make this one run things without it
 * @throws ConflictError if this process has the place and namespace open with other settings, or as another user
 */
export async function open(urls: readonly string[], options: OpenOptions): Promise<Adapter> {
  const { place, quorum, details, ...settings } = options
  const [first, ...others] = urls.map((url, index) => serverOf(url, detailsOf(details, index)))
  if (first === undefined) throw new TypeError('open() needs a url')
  if (quorum && settings.replicas > 0) {
    throw new ArgumentError(
      'connect(): replicas goes with one url: what an array of urls grants, a majority of the servers has confirmed; leave it out',
    )
  }
  const secret = readSecret()
  if (settings.serve !== false && settings.serve !== null) checkServing(settings.serve, [first, ...others], secret)
  const start: ThreadStart = { servers: [first, ...others], quorum, surroundings: surroundings(), secret }
  const nature: Nature = { kind: 'redis', place, scope: place, json: true, confirmed: true, quorum }
  const { namespace } = settings
  const access = accessOf(start)
  const ground = await supervisorGround({ entry: ENTRY, start, nature, namespace, settings, access })
  // Who serves others is there for them, as a server is, until it is closed.
  if (settings.serve !== null && settings.serve !== false) ground.client.hold()
  return new LinkedAdapter(ground)
}

/** What `redis(…)` has to say of one of the servers. */
function detailsOf(details: unknown, index: number): Readonly<Record<string, unknown>> | null {
  return details === null ? null : ((details as readonly unknown[])[index] as Readonly<Record<string, unknown>> | null)
}
