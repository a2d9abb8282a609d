/** A Redis server that speaks TLS beside its plain port, with certificates made for it. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startProcess } from './redis-process.ts'

const PROGRAM = 'openssl'

export interface TlsServer {
  /** Over TLS. */
  readonly url: string
  readonly plainUrl: string
  /** In PEM: the authority that signed the server's certificate, and its file. */
  readonly ca: string
  readonly caFile: string
  /** What a client shows where the server asks for it. */
  readonly client: { readonly cert: string; readonly key: string }
  close(): Promise<void>
}

export interface TlsOptions {
  /** More of the server's command line. */
  readonly args?: readonly string[]
  /** Whether clients need a certificate; default no. */
  readonly clients?: boolean
}

function openssl(folder: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(PROGRAM, args, { cwd: folder, encoding: 'utf8' })
  if (status !== 0)
    throw new Error(`these tests need openssl: openssl ${args.join(' ')}: ${stderr ?? ''}`, { cause: error })
}

/** An authority of its own, in a new folder. */
export function makeAuthority(): string {
  const folder = mkdtempSync(join(tmpdir(), 'skein-tls-'))
  openssl(folder, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=skein test authority', '-keyout', 'ca.key', '-out', 'ca.crt') // prettier-ignore
  return folder
}

/** A certificate for this machine, also by those addresses, signed by the authority in the folder. */
export function sign(folder: string, name: string, addresses: readonly string[] = []): void {
  const subject = ['-subj', `/CN=${name}`]
  const names = ['DNS:localhost', 'DNS:127.1', 'IP:127.0.0.1', ...addresses.map((address) => `IP:${address}`)]
  writeFileSync(join(folder, `${name}.names`), `subjectAltName=${names.join(',')}\n`)
  const serial = `0x${randomBytes(8).toString('hex')}`
  openssl(folder, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...subject, '-keyout', `${name}.key`, '-out', `${name}.csr`) // prettier-ignore
  openssl(folder, 'x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', serial, '-days', '2', '-extfile', `${name}.names`, '-out', `${name}.crt`) // prettier-ignore
}

/** The server's command line for a certificate in that folder. */
export function tlsFlags(folder: string, name: string, port: number, clients: 'yes' | 'no'): readonly string[] {
  const file = (one: string): string => join(folder, one)
  return ['--tls-port', String(port), '--tls-cert-file', file(`${name}.crt`), '--tls-key-file', file(`${name}.key`), '--tls-ca-cert-file', file('ca.crt'), '--tls-auth-clients', clients] // prettier-ignore
}

export async function startTls({ args = [], clients = false }: TlsOptions = {}): Promise<TlsServer> {
  const folder = makeAuthority()
  for (const name of ['server', 'client']) sign(folder, name)
  const port = await freePort()
  const server = await startProcess({
    own: true,
    args: [...tlsFlags(folder, 'server', port, clients ? 'yes' : 'no'), ...args],
  })
  if (typeof server === 'string') throw new Error(server)
  const text = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return {
    url: `rediss://127.0.0.1:${port}`,
    plainUrl: server.url,
    ca: text('ca.crt'),
    caFile: join(folder, 'ca.crt'),
    client: { cert: text('client.crt'), key: text('client.key') },
    close: async () => {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
