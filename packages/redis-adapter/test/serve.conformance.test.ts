/**
 * Processes and pools run in two other programs, each in a directory of its own: what every adapter passes holds there, too. Over TLS, as
 * the user of SECURITY.md, with a secret.
 */
import { randomBytes } from 'node:crypto'
import process from 'node:process'
import { conformance } from '@skein/conformance'
import { connect, targetsOf } from '@skein/core'
import { redis } from '@skein/redis-adapter'
import { afterAll, beforeAll } from 'vitest'
import { type Host, startHost } from '../../../integration-tests/support/hosts.ts'
import { leftovers } from '../../../integration-tests/support/leftovers.ts'
import { freshNamespace } from '../../../integration-tests/support/redis.ts'
import { startTls, type TlsServer } from '../../../integration-tests/support/tls-server.ts'
import { type Directory, hostDirectory } from './agents-field.ts'
import { aclUser } from '../../../integration-tests/support/security.ts'

type Basic = typeof import('../../conformance/src/targets/basic.ts')
const { idle } = targetsOf<Basic>(new URL('../../conformance/dist/targets/basic.js', import.meta.url))

const namespace = freshNamespace()
const password = randomBytes(16).toString('hex')
const SKEIN_SECRET = randomBytes(32).toString('hex')

let server: TlsServer
const directories: Directory[] = []
const hosts: Host[] = []
let before: readonly string[] = []

const left = (): Promise<string[]> => leftovers(server, namespace)
/** Its queue of starts has more keys at some times than at others. */
const isOfHost = (line: string): boolean => before.some((one) => line.startsWith(one.slice(0, one.indexOf('}') + 1)))

beforeAll(async () => {
  server = await startTls()
  await server.ask('ACL', 'SETUSER', ...aclUser({ namespace, password }))
  // Some checks have a namespace of their own.
  await server.ask('ACL', 'SETUSER', 'skein', '&n-*', '~{n-*', '&elsewhere-*', '~{elsewhere-*')
  process.env['SKEIN_SECRET'] = SKEIN_SECRET
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: server.caFile }
  const serve = { allow: 'node_modules/@skein/conformance/**', env: 'NODE_EXTRA_CA_CERTS' }
  for (const name of ['one', 'other']) {
    const directory = hostDirectory(name)
    directories.push(directory)
    hosts.push(await startHost(url(), namespace, { cwd: directory.path, env, connect: { serve } }))
  }
  // What a host has as long as it lives begins with the first process that it runs.
  const mp = await connect(store(), { namespace, serve: false })
  const said = mp.queue<number>()
  const served = new Set<string>()
  while (served.size < hosts.length) {
    const each = hosts.map(() => mp.process(idle, [said]))
    for (const one of each) await one.start()
    for (const { busy, program } of await mp.hosts()) if (busy !== 0) served.add(program)
    for (const one of each) await one.kill()
  }
  await mp.close()
  before = await left()
}, 60_000)

afterAll(async () => {
  for (const host of hosts) await host.close()
  for (const directory of directories) directory.remove()
  await server.close()
})

function url(): string {
  return server.url.replace('//', `//skein:${password}@`)
}

function store(): ReturnType<typeof redis> {
  return redis(url(), { tls: { ca: server.ca } })
}

conformance('redis, in other programs', (options) => connect(store(), { namespace, serve: false, ...options }), {
  deathKnownWithin: 1_000,
  inherits: false,
  extraLeakCheck: async () => (await left()).filter((line) => !isOfHost(line)),
})
