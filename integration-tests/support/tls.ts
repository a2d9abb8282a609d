/** A Redis server that speaks TLS beside its plain port, with certificates made for it. */
import { spawnSync } from 'node:child_process'
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

/** A certificate for `localhost` and 127.0.0.1, signed by the authority in the folder. */
function sign(folder: string, name: string): void {
  const subject = ['-subj', `/CN=${name}`]
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  openssl(folder, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...subject, '-keyout', `${name}.key`, '-out', `${name}.csr`) // prettier-ignore
  openssl(folder, 'x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', `${name}.crt`) // prettier-ignore
}

export async function startTls({ args = [], clients = false }: TlsOptions = {}): Promise<TlsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-tls-'))
  const path = (name: string): string => join(folder, name)
  openssl(folder, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=skein test authority', '-keyout', 'ca.key', '-out', 'ca.crt') // prettier-ignore
  for (const name of ['server', 'client']) sign(folder, name)
  const port = await freePort()
  const files = ['--tls-cert-file', path('server.crt'), '--tls-key-file', path('server.key'), '--tls-ca-cert-file', path('ca.crt')] // prettier-ignore
  const server = await startProcess({
    own: true,
    args: ['--tls-port', String(port), ...files, '--tls-auth-clients', clients ? 'yes' : 'no', ...args],
  })
  if (typeof server === 'string') throw new Error(server)
  const text = (name: string): string => readFileSync(path(name), 'utf8')
  return {
    url: `rediss://127.0.0.1:${port}`,
    plainUrl: server.url,
    ca: text('ca.crt'),
    caFile: path('ca.crt'),
    client: { cert: text('client.crt'), key: text('client.key') },
    close: async () => {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
