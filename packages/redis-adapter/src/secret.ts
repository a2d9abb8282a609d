/**
 * The secret that programs share who run work for each other. Who can write into Redis can ask a program that serves to run any function that it
 * lets others run; who does not know the secret cannot.
 */
import { readFileSync } from 'node:fs'
import { ArgumentError } from '@skein/core'
import { SECRET, SECRET_FILE, type ServeSettings } from '@skein/core/adapter'
import { type Server, shown } from './options.ts'

/** Bytes. */
const SHORTEST = 32

/**
 * From the environment, or the file that it names. Space around it, as the end of a file's last line, is no part of it.
 *
 * @returns `''`: there is none
 * @throws ArgumentError if it is too short to be one, or its file cannot be read
 */
export function readSecret(env: NodeJS.ProcessEnv = process.env): string {
  const { [SECRET]: given = '', [SECRET_FILE]: path = '' } = env
  if (given === '' && path === '') return ''
  if (given !== '' && path !== '') throw new ArgumentError(`${SECRET} and ${SECRET_FILE} are both set; set one of them`)
  const secret = (path === '' ? given : readIn(path)).trim()
  const bytes = Buffer.byteLength(secret)
  if (bytes >= SHORTEST) return secret
  throw new ArgumentError(
    `${path === '' ? SECRET : `the secret in ${path}`} has ${bytes} bytes and must have ${SHORTEST} or more; take random ones, as "openssl rand -hex ${SHORTEST}" writes`,
  )
}

function readIn(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ArgumentError(`${SECRET_FILE}: ${path} cannot be read (${code})`, { cause: error })
  }
}

/** @throws ArgumentError if others than this machine's programs could make it run things, and nothing shows who they are */
export function checkServing(serve: ServeSettings, servers: readonly Server[], secret: string): void {
  if (secret !== '' || serve.unsigned) return
  const far = servers.find((server) => !isLoopback(server))
  if (far === undefined) return
  throw new ArgumentError(
    `connect(): serve: whoever can write to ${shown(far)} could make this machine run its functions; set ${SECRET} to the same ${SHORTEST} or more random bytes in all programs, or say serve: { unsigned: true } to allow it`,
  )
}

function isLoopback({ host, sentinel }: Server): boolean {
  const hosts = sentinel === null ? [host] : sentinel.sentinels.map((one) => one.host)
  return hosts.every((one) => one === 'localhost' || one === '::1' || /^127(?:\.\d{1,3}){3}$/.test(one))
}
