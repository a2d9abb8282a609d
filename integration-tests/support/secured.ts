/**
 * `SKEIN_TEST_REDIS=tls-acl`: every server that a test starts speaks TLS, its url is that of the user of SECURITY.md, and all programs trust its
 * certificate. What a test itself asks the server goes as the administrator, over a plain port.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { RedisControls, RedisOptions } from './redis.ts'
import { freePort, startProcess } from './redis-process.ts'
import { aclUser } from './security.ts'
import { makeAuthority, sign, tlsFlags } from './tls.ts'

/** The folder of the authority, to the processes that run the tests. */
const FOLDER = 'SKEIN_TEST_CERTIFICATES'
/** Of Node, read when it starts. */
const TRUSTED = 'NODE_EXTRA_CA_CERTS'

/** The namespaces that tests use: one of `freshNamespace`, the default, and those that stand in a test. */
const NAMESPACES = ['t??????????', 'skein', 'door', 'alone', 'n-*', 'elsewhere-*']

export function isSecured(): boolean {
  return process.env['SKEIN_TEST_REDIS'] === 'tls-acl'
}

/** Before the processes that run the tests start: there is an authority, which they trust, and what they start. */
export function prepare(): () => void {
  // It is done once for all of them.
  if (!isSecured() || (process.env[FOLDER] ?? '') !== '') return () => undefined
  const made = makeAuthority()
  sign(made, 'server')
  const trusted = process.env[TRUSTED] ?? ''
  const file = join(made, 'trusted.crt')
  copyFileSync(join(made, 'ca.crt'), file)
  if (trusted !== '' && existsSync(trusted)) writeFileSync(file, readFileSync(trusted), { flag: 'a' })
  // Programs that run as somebody else trust it, too.
  chmodSync(made, 0o711)
  process.env[FOLDER] = made
  process.env[TRUSTED] = file
  return () => rmSync(made, { recursive: true, force: true })
}

function folder(): string {
  const path = process.env[FOLDER] ?? ''
  if (path === '') throw new Error('SKEIN_TEST_REDIS=tls-acl is set by who runs the tests, not by a test')
  return path
}

/** What a proxy in front of such a server shows, and whom it trusts. */
export function certificate(): { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer } {
  const read = (name: string): Buffer => readFileSync(join(folder(), name))
  return { cert: read('server.crt'), key: read('server.key'), ca: read('ca.crt') }
}

/** The words of a command line that make the user, for all those namespaces. */
function user(password: string): readonly string[] {
  const [first = '', ...others] = NAMESPACES
  const line = aclUser({ namespace: first, password })
  const more = others.flatMap((namespace) =>
    aclUser({ namespace, password }).filter((word) => word.includes(namespace)),
  )
  return ['--user', ...new Set([...line, ...more])]
}

/** Addresses beside this machine's own that a server is told to listen at. */
function addresses(args: readonly string[]): readonly string[] {
  const at = args.indexOf('--bind')
  const rest = at < 0 ? [] : args.slice(at + 1)
  const end = rest.findIndex((word) => word.startsWith('--'))
  return rest.slice(0, end < 0 ? rest.length : end).filter((address) => address !== '127.0.0.1')
}

export async function startSecured(options: RedisOptions): Promise<RedisControls | string> {
  const password = randomBytes(16).toString('hex')
  const also = addresses(options.args ?? [])
  const name = also.length === 0 ? 'server' : `server-${randomBytes(4).toString('hex')}`
  if (also.length > 0) sign(folder(), name, also)
  const port = await freePort()
  const args = [...(options.args ?? []), ...tlsFlags(folder(), name, port, 'no'), ...user(password)]
  const server = await startProcess({ ...options, args })
  if (typeof server === 'string') return server
  return {
    url: `rediss://skein:${password}@127.0.0.1:${port}`,
    admin: server.url,
    get pid() {
      return server.pid
    },
    stop: () => server.stop(),
    cont: () => server.cont(),
    kill: () => server.kill(),
    restart: (how) => server.restart(how),
    close: () => server.close(),
  }
}
