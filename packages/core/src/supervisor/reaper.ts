/**
 * Nobody outlives the program: a tiny shell process holds the list of children and kills them when its standard input ends,
 * which happens however the program dies. Children notice that, too, but not one in a busy loop. On Windows the operating
 * system does it (libuv puts children into a job object), and there is no shell to ask.
 */
import type { ChildProcess } from 'node:child_process'
import { startShell } from './shell.ts'

const SCRIPT = `trap '' INT TERM HUP QUIT
all=
while read -r what pid; do
  if [ "$what" = + ]; then all="$all $pid"; continue; fi
  rest=
  for one in $all; do [ "$one" = "$pid" ] || rest="$rest $one"; done
  all=$rest
done
[ -z "$all" ] || kill -9 $all`

export class Reaper {
  readonly #pids = new Set<number>()
  #shell: ChildProcess | null = null
  #closed = false

  watch(pid: number): void {
    this.#pids.add(pid)
    if (this.#shell === null) this.#start()
    else this.#shell.stdin?.write(`+ ${pid}\n`)
  }

  forget(pid: number): void {
    if (this.#pids.delete(pid)) this.#shell?.stdin?.write(`- ${pid}\n`)
  }

  /** Resolves when the shell has ended. */
  async close(): Promise<void> {
    this.#closed = true
    const shell = this.#shell
    if (shell === null) return
    await new Promise<void>((resolve) => {
      shell.once('close', () => resolve())
      shell.stdin?.end()
    })
  }

  /** Starts a shell for all the children there are. Where none can be started, the next child tries again. */
  #start(): void {
    if (this.#closed || process.platform === 'win32') return
    // In a session of its own, so that Ctrl-C in the terminal does not reach it before it has done its work.
    const shell = startShell(SCRIPT, { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    if (shell === null) return
    this.#shell = shell
    const gone = (): void => {
      if (this.#shell !== shell) return
      this.#shell = null
      // Somebody killed it: the children need another one. Without a shell they have only their own look-out.
      if (this.#pids.size > 0) this.#start()
    }
    shell.once('exit', gone)
    // The write end breaks when the shell is killed; 'exit' follows and replaces it.
    shell.stdin?.on('error', () => shell.stdin?.destroy())
    for (const pid of this.#pids) shell.stdin?.write(`+ ${pid}\n`)
    shell.unref()
  }
}
