/** Certificates for servers that speak TLS, made for a test. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PROGRAM = 'openssl'

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
