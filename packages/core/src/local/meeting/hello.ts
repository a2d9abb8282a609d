/** What two programs of one machine say to each other first. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { decode, encode } from '../../codec/index.ts'
import { NotSupportedError, ProtocolError } from '../../errors.ts'
import { type Frame, op } from '../../wire/frame.ts'
import { VERSION } from '../../wire/protocol.ts'
import { SocketLink } from '../../wire/socket-link.ts'

export interface Hello {
  readonly version: string
  /** The id of the program's main process. */
  readonly program: string
  readonly pid: number
  /** `guest`: its processes use the other's objects. `peer`: it asks for processes of the other. */
  readonly as: 'guest' | 'peer'
}

export interface Welcome {
  readonly version: string
  /** What references call the host's state. */
  readonly scope: string
  readonly pid: number
}

/** What comes after the greeting. */
export interface Answered {
  frame(frame: Frame): void
  ended(): void
}

export interface Acquaintance {
  readonly link: SocketLink
  readonly welcome: Welcome
}

export function hello(program: string, as: Hello['as']): Hello {
  return { version: VERSION, program, pid: process.pid, as }
}

export function welcome(scope: string): Welcome {
  return { version: VERSION, scope, pid: process.pid }
}

function noHandles(): never {
  throw new ProtocolError('a handle stood in a greeting')
}

/** What a greeting carries. */
export function read(frame: Frame): unknown {
  return decode(frame.payload, noHandles)
}

/** Why programs of these versions do not work together, or null. Their nouns live in one of them, so it is not enough that they understand each other. */
export function differs(theirs: string, name: string): NotSupportedError | null {
  if (theirs === VERSION) return null
  return new NotSupportedError(
    `connect(): ${name} is hosted by a program with version ${theirs} of @skein/core, this one has ${VERSION}; use one version in both`,
  )
}

/** `gone`: nobody is there, and nobody will ever be. `away`: somebody may be, who does not answer now. */
export type Silence = 'gone' | 'away'

/**
 * Makes a connection and greets.
 *
 * @param then hears what comes after the welcome
 * @param patience for the welcome, in ms
 */
export async function greet(
  path: string,
  said: Hello,
  then: Answered,
  patience: number,
): Promise<Acquaintance | Silence> {
  const socket = connect(path)
  const silence = await connected(socket)
  if (silence !== null) return silence
  return new Promise((resolve) => {
    let known = false
    const link: SocketLink = new SocketLink(socket, null, {
      frame: (frame) => {
        if (known) {
          then.frame(frame)
          return
        }
        known = true
        clearTimeout(timer)
        resolve({ link, welcome: read(frame) as Welcome })
      },
      ended: () => {
        if (known) then.ended()
        clearTimeout(timer)
        resolve('away')
      },
    })
    const timer = setTimeout(() => link.destroy(), patience)
    link.send(op.hello, 0, 0, encode(said))
  })
}

/** Whether somebody listens there, or might. */
export async function listens(path: string): Promise<boolean> {
  const socket = connect(path)
  const silence = await connected(socket)
  socket.destroy()
  return silence !== 'gone'
}

async function connected(socket: Socket): Promise<Silence | null> {
  try {
    await once(socket, 'connect')
    return null
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    return code === 'ENOENT' || code === 'ECONNREFUSED' ? 'gone' : 'away'
  }
}
