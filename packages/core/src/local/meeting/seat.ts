/**
 * Who hosts a name: one program at most, at any time. Whoever hosts has claimed a number, a link in the directory to a socket that already
 * listens. The highest number counts. A number is claimed only by who has seen that nobody listens behind the one before, and who has
 * stopped listening never begins again; a link is made or not made, so of two claims to a number one fails. The link of a host that was
 * killed stays, is seen to be dead, and is passed over.
 *
 * So the highest link must never go while its number could be claimed anew: who comes to it late would claim it beside the next one.
 * Hosts remove only links that are far below their own, and every claim is looked at again when it is made.
 */
import { promises } from 'node:fs'
import { join } from 'node:path'
import { monotonic } from '../../util/clock.ts'
import { ConnectionError } from '../../errors.ts'
import { type Acquaintance, type Answered, greet, hello, listens } from './hello.ts'

const { lstat, lutimes, readdir, readlink, symlink, unlink } = promises

/** Links that are left behind the highest: whoever sleeps between its look and its claim while so many hosts come and go finds its claim out. */
const LEFT = 16

/** Milliseconds until another look at a host that closes. */
const AGAIN = 20

/** Milliseconds during which a socket at which nobody listens may be one at which somebody is about to. */
const YOUNG = 60_000

/** Milliseconds between two touches of a host's link, without which it would look abandoned to those who clean up temporary files. */
const TOUCH = 3_600_000

export interface SeatOptions {
  readonly directory: string
  readonly program: string
  /** The name of this program's socket in it, which listens. */
  readonly socket: string
  /** For messages: `local:NAME`. */
  readonly name: string
  /** On the monotonic clock. */
  readonly deadline: number
  /** Hears of the host, if another program is. */
  readonly answered: Answered
}

/** `Acquaintance`: with the host. */
export type Seat = { readonly host: Acquaintance } | { readonly host: null; readonly leave: () => void }

/** @throws ConnectionError if a host is there that does not answer in time */
export async function takeSeat(options: SeatOptions): Promise<Seat> {
  const { directory, program, socket, name, deadline, answered } = options
  for (;;) {
    const [highest = 0] = await numbers(directory)
    const left = deadline - monotonic()
    const host = highest === 0 ? 'gone' : await greet(join(directory, String(highest)), hello(program, 'guest'), answered, Math.max(1, left)) // prettier-ignore
    if (typeof host !== 'string') return { host }
    if (host === 'gone') {
      if (await claim(directory, socket, highest + 1)) return { host: null, leave: keep(directory, highest + 1) }
    } else if (monotonic() >= deadline) {
      throw new ConnectionError(
        `connect(): ${await whoHosts(directory, highest)} hosts ${name} and does not answer; it is stopped, very busy or about to end`,
        { retryable: true },
      )
    } else await new Promise((resolve) => setTimeout(resolve, AGAIN))
  }
}

/** All that are claimed, the highest first. */
async function numbers(directory: string): Promise<number[]> {
  const names = await readdir(directory)
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((one, other) => other - one)
}

async function claim(directory: string, socket: string, number: number): Promise<boolean> {
  const link = join(directory, String(number))
  try {
    await symlink(socket, link)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
  const all = await numbers(directory)
  if (all[0] === number) {
    await Promise.allSettled(all.slice(LEFT).map((old) => unlink(join(directory, String(old)))))
    await sweep(directory)
    return true
  }
  // While this program stood still, others have come and gone, and the number was free again.
  await unlink(link)
  return false
}

/** Removes the sockets of programs that were killed. */
async function sweep(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => !/^\d+$/.test(name))
  await Promise.allSettled(
    names.map(async (name) => {
      const path = join(directory, name)
      const { mtimeMs } = await lstat(path)
      if (Date.now() - mtimeMs > YOUNG && !(await listens(path))) await unlink(path)
    }),
  )
}

/** Returns how to stop. */
function keep(directory: string, number: number): () => void {
  const timer = setInterval(() => {
    const now = new Date()
    lutimes(join(directory, String(number)), now, now).catch(() => {
      // Somebody has removed it; then nothing helps.
    })
  }, TOUCH)
  timer.unref()
  return () => clearInterval(timer)
}

/** The id of a main program is its pid and eight digits of the time of its start; see current-process.ts. */
async function whoHosts(directory: string, number: number): Promise<string> {
  try {
    const [, pid = ''] = /^([0-9a-z]+)[0-9a-z]{8}\./.exec(await readlink(join(directory, String(number)))) ?? []
    return `the program with pid ${Number.parseInt(pid, 36)}`
  } catch {
    return 'a program'
  }
}
