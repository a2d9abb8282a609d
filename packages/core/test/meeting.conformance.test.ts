/** What has a name or a handle is the same for a guest of `local:NAME`, where another program keeps it. Processes are its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { conformance, footprint, processTable, until } from '@skein/conformance'
import { connect, type ConnectOptions, type Context } from '@skein/core'
import { type Host, startHost } from '../../../integration-tests/support/hosts.ts'

const url = `local:conformance-${process.pid}`
const namespace = 'conformance'
const folder = mkdtempSync(join(tmpdir(), 'sk-'))
let host: Host
beforeAll(async () => {
  host = await startHost(url, namespace, { env: { ...process.env, TMPDIR: folder } })
  // What hears Ctrl-C for it is started a little later; after that, the first check would take it for a leak.
  const shell = async (): Promise<boolean> => {
    // Where there is no such table, nothing is taken for a leak either.
    return processTable().length === 0 || (await footprint()).some((held) => held.includes("trap 'echo' INT"))
  }
  await until('the host has its shell', shell)
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

/** The suites have temporary directories of their own, where nobody else would be met. */
function connected(options?: ConnectOptions): Promise<Context> {
  const own = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  const opening = connect(url, { namespace, ...options })
  if (own === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = own
  return opening
}

conformance('local:NAME, as a guest', connected, { deathKnownWithin: 1_000, nouns: 'objects' })
