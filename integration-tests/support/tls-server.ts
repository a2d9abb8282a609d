/** A Redis server that speaks TLS beside its plain port, with certificates made for it. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startCluster } from './cluster.ts'
import { isClustered } from './clustered.ts'
import { freePort, startProcess } from './redis-process.ts'
import { ask, type Reply } from './resp.ts'
import { makeAuthority, sign, tlsFlags } from './tls.ts'

export interface TlsServer {
  /** Over TLS. */
  readonly url: string
  readonly plainUrl: string
  /** In PEM: the authority that signed the server's certificate, and its file. */
  readonly ca: string
  readonly caFile: string
  /** What a client shows where the server asks for it. */
  readonly client: { readonly cert: string; readonly key: string }
  /** As the administrator. */
  ask(...command: readonly (string | number)[]): Promise<Reply>
  close(): Promise<void>
}

export interface TlsOptions {
  /** As of `RedisOptions`. */
  readonly single?: boolean
  /** More of the server's command line. */
  readonly args?: readonly string[]
  /** Whether clients need a certificate; default no. */
  readonly clients?: boolean
}

interface Started {
  /** Over TLS. */
  readonly url: string
  readonly admin: string
  ask(...command: readonly (string | number)[]): Promise<Reply>
  close(): Promise<void>
}

async function startOne(folder: string, { args = [], clients = false }: TlsOptions): Promise<Started> {
  const port = await freePort()
  const flags = tlsFlags(folder, 'server', port, clients ? 'yes' : 'no')
  const server = await startProcess({ own: true, args: [...flags, ...args] })
  if (typeof server === 'string') throw new Error(server)
  return {
    url: `rediss://127.0.0.1:${port}`,
    admin: server.url,
    ask: (...command) => ask(server.admin, ...command),
    close: () => server.close(),
  }
}

export async function startTls(options: TlsOptions = {}): Promise<TlsServer> {
  const folder = makeAuthority()
  for (const name of ['server', 'client']) sign(folder, name)
  const together = isClustered() && options.single !== true
  const server = together ? await startCluster({ ...options, certificates: folder }) : await startOne(folder, options)
  const text = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return {
    url: server.url,
    plainUrl: server.admin,
    ca: text('ca.crt'),
    caFile: join(folder, 'ca.crt'),
    client: { cert: text('client.crt'), key: text('client.key') },
    ask: (...command) => server.ask(...command),
    close: async () => {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
