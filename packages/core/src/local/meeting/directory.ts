/** Where the programs of a name meet: a directory that belongs to this user alone. */
import { createHash, randomBytes } from 'node:crypto'
import { promises } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NotSupportedError, StateError } from '../../errors.ts'

/** The longest path of a socket that every Unix takes, in bytes. */
const LONGEST_PATH = 103

/** The longest id of a program in the name of a socket, and how much longer that is. */
const LONGEST_ID = 17
const MORE = 7

/** @throws StateError if others could get at it, or its path is too long for a socket; NotSupportedError where sockets have no path */
export async function meetingDirectory(name: string, namespace: string): Promise<string> {
  const uid = process.getuid?.()
  if (uid === undefined) {
    throw new NotSupportedError(
      `connect(): local:${name} needs Unix sockets, which Node does not have on ${process.platform}; use local: or redis:`,
    )
  }
  const own = join(tmpdir(), `skein-${uid}`)
  // Names may be longer than a path of a socket.
  const directory = join(own, short(`${name}\n${namespace}`, 16))
  await make(own, uid, name)
  await make(directory, uid, name)
  if (Buffer.byteLength(directory) + 1 + LONGEST_ID + MORE > LONGEST_PATH) {
    throw new StateError(
      `connect(): the path ${directory} is too long for a socket of local:${name}; set TMPDIR to a shorter one for all programs that meet there`,
    )
  }
  return directory
}

/** A new name for a socket of that program, which may have had others. */
export function freshSocket(program: string): string {
  return `${prefixOf(program)}${randomBytes(3).toString('hex')}`
}

/** The sockets of that program, of which one at most still listens. */
export async function socketsOf(directory: string, program: string): Promise<string[]> {
  const names = await promises.readdir(directory)
  return names.filter((name) => name.startsWith(prefixOf(program))).map((name) => join(directory, name))
}

/** The ids of children grow with their depth. */
function prefixOf(program: string): string {
  return `${program.length <= LONGEST_ID ? program : short(program, LONGEST_ID)}.`
}

function short(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}

async function make(directory: string, uid: number, name: string): Promise<void> {
  try {
    await promises.mkdir(directory, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') {
      throw new StateError(
        `connect(): the directory ${directory}, where the programs of local:${name} meet, cannot be made (${code})`,
        { cause: error },
      )
    }
  }
  const { uid: owner, mode } = await promises.lstat(directory)
  // S_IFDIR, and nothing for anybody else.
  if ((mode & 0o170_077) !== 0o040_000 || owner !== uid) {
    throw new StateError(
      `connect(): the programs of local:${name} meet in ${directory}, which must be a directory of this user alone; remove it, or chmod 700`,
    )
  }
}
