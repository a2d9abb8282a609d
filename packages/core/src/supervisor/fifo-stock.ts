/**
 * Pipes for children to write into, kept ready. For each small frame a pipe costs both sides about half of what a socket does, and
 * fewer wake-ups, but Node makes none: so `mkfifo` makes named ones, in a directory that is nobody else's, and they lose their
 * names as soon as they are open. Nothing waits for that and nothing fails by it: where there is none, a child writes to its socket.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { closeSync, constants, lstatSync, openSync, rmSync, unlinkSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Descriptors of the two ends, both non-blocking. Whoever takes them closes them. */
export interface PipeEnds {
  readonly read: number
  readonly write: number
}

/** How many are made together: enough for a pool of the usual size that starts all at once. */
const LOT = Math.min(64, availableParallelism() + 4)

/** Milliseconds that making them may take before it counts as impossible. */
const PATIENCE = 5_000

/**
 * Its standard input ends when the pipes are open, or with this program, however it dies: then the files are the script's to remove.
 * It makes the directory, too, so that nothing is there before somebody looks after it, and it must outlive that nobody hears of it.
 */
const SCRIPT = `trap '' INT TERM HUP QUIT PIPE
directory=$1
shift
mkdir -m 700 "$directory" || exit
mkfifo "$@" && echo made && read -r _
[ ! -d "$directory" ] || rm -rf "$directory"`

interface Lot {
  readonly directory: string
  /** Not opened yet, in the order in which they are made. */
  readonly paths: string[]
  /** Resolves when the directory is gone. */
  readonly done: Promise<void>
}

export class FifoStock {
  readonly #ready: PipeEnds[] = []
  #lot: Lot | null = null
  #usable: boolean = process.platform !== 'win32'

  constructor() {
    this.#fill()
  }

  /** A pipe, or `null` if there is none at the moment. */
  take(): PipeEnds | null {
    // Some may be there although the news that all are has not come.
    if (this.#ready.length === 0 && this.#lot !== null) this.#open(this.#lot)
    const ends = this.#ready.shift() ?? null
    if (this.#ready.length < LOT / 2) this.#fill()
    return ends
  }

  /** Closes what nobody took. Resolves when no file is left. */
  async close(): Promise<void> {
    this.#usable = false
    for (const { read, write } of this.#ready.splice(0)) {
      closeSync(read)
      closeSync(write)
    }
    await this.#lot?.done
  }

  #fill(): void {
    if (!this.#usable || this.#lot !== null) return
    const directory = join(resolve(tmpdir()), `skein-${randomUUID()}`)
    const paths = Array.from({ length: LOT }, (_, index) => join(directory, String(index)))
    let well = false
    const made = (): void => {
      well = true
      if (this.#usable) this.#open(lot)
      remove(directory)
    }
    const done = make(directory, paths, made).then(() => {
      if (!well) this.#usable = false
      this.#lot = null
      remove(directory)
    })
    const lot: Lot = { directory, paths, done }
    this.#lot = lot
  }

  #open({ directory, paths }: Lot): void {
    if (!isOurs(directory)) return
    for (let path = paths[0]; path !== undefined; path = paths[0]) {
      const ends = opened(path)
      if (ends === null) return
      paths.shift()
      this.#ready.push(ends)
    }
  }
}

/** Has the files made and calls `made` when they are there. Resolves when nobody works on them any more, whatever came of it. */
function make(directory: string, paths: readonly string[], made: () => void): Promise<void> {
  return new Promise((settle) => {
    const over = (): void => settle()
    try {
      const maker = spawn('/bin/sh', ['-c', SCRIPT, 'sh', directory, ...paths], {
        stdio: ['pipe', 'pipe', 'ignore'],
        // In a session of its own and out of everybody's way, as the reaper is.
        detached: true,
        cwd: '/',
        timeout: PATIENCE,
        killSignal: 'SIGKILL',
      })
      maker.once('error', over)
      maker.once('exit', over)
      // Where no more files can be opened, Node returns a child without streams; 'error' follows.
      const { stdin, stdout } = maker as Partial<typeof maker>
      stdin?.on('error', () => stdin.destroy())
      stdout?.once('data', () => {
        made()
        stdin?.end()
      })
    } catch {
      over()
    }
  })
}

/** Opens both ends and takes the name away; `null`: there is no such pipe yet, or there are no descriptors left. */
function opened(path: string): PipeEnds | null {
  let read: number | undefined
  try {
    // In this order: without a reader the other end would not open.
    read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const write = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
    unlinkSync(path)
    return { read, write }
  } catch {
    if (read !== undefined) closeSync(read)
    return null
  }
}

/**
 * Whether the directory is this user's alone, and so stays. Others can see its name in the process list before it is made, and make
 * it themselves: what they would put there is neither opened nor touched.
 */
function isOurs(directory: string): boolean {
  try {
    const found = lstatSync(directory)
    return found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o077) === 0
  } catch {
    return false
  }
}

function remove(directory: string): void {
  if (!isOurs(directory)) return
  try {
    rmSync(directory, { recursive: true, force: true })
  } catch {
    // Somebody has taken away the right to: an empty directory stays behind, and nothing depends on it.
  }
}
