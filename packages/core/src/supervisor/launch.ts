/** Starting a Node process: where it runs, what it inherits, and what a refusal of the operating system means. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChildOptions } from '../contract/adapter.ts'
import { SpawnError } from '../errors.ts'
import type { SlotHandle } from '../wire/tenure-slot.ts'
import type { Surroundings } from './boot.ts'
import type { ChildOutput } from './child-output.ts'
import type { PipeEnds } from './fifo-stock.ts'
import type { DeathReport } from './memory-watch.ts'

/** The descriptor of the link in the child; what else it inherits follows. */
const LINK = 3

const MAIN = fileURLToPath(new URL('../child-main.js', import.meta.url))

/** Where and how a child runs. */
export interface Circumstances {
  readonly surroundings: Surroundings
  readonly options: ChildOptions
  /** The output of its creator, where the child's own goes. */
  readonly shared: ChildOutput | null
}

/** What a child inherits besides the socket of its link. */
export interface Inheritance {
  /** What it writes to; `null`: both directions take the socket. */
  readonly pipe: PipeEnds | null
  /** Where it reads its tenure; `null`: it has none, or hears of it only. */
  readonly slot: SlotHandle | null
  /** Where Node may report of its end. */
  readonly report: DeathReport | null
}

/** The descriptors of all that, in the child; 0: there is none. */
export interface Inherited {
  readonly pipe: number
  readonly slot: number
  readonly report: number
}

/** What it inherits behind its link, in this order, and where. */
function inherited({ pipe, slot, report }: Inheritance): { readonly at: Inherited; readonly descriptors: number[] } {
  const descriptors: number[] = []
  const place = (descriptor: number | null): number => (descriptor === null ? 0 : LINK + descriptors.push(descriptor))
  const at = {
    pipe: place(pipe?.write ?? null),
    slot: place((slot?.share as number | undefined) ?? null),
    report: place(report?.descriptor ?? null),
  }
  return { at, descriptors }
}

function directoryOf({ surroundings, options }: Circumstances): string {
  return options.cwd === null ? surroundings.cwd : resolve(surroundings.cwd, options.cwd)
}

/** On a null prototype: what a polluted Object.prototype holds must not become a child's environment. */
function environmentOf({ surroundings, options }: Circumstances): NodeJS.ProcessEnv {
  const env = Object.assign(Object.create(null), surroundings.env) as NodeJS.ProcessEnv
  for (const [name, value] of Object.entries(options.env)) {
    if (value === null) delete env[name]
    else env[name] = value
  }
  return env
}

const mends: ReadonlyMap<string, string> = new Map([
  ['EMFILE', '; too many files are open in this program'],
  ['ENFILE', '; too many files are open on this machine'],
  ['EAGAIN', '; too many processes are running'],
  ['E2BIG', '; the environment (process.env) is too large for a new process'],
])

function refusalOf(error: NodeJS.ErrnoException, circumstances: Circumstances): SpawnError {
  const where =
    error.code === 'ENOENT' || error.code === 'ENOTDIR'
      ? ` (is the working directory ${directoryOf(circumstances)} there, and a directory?)`
      : ''
  const mend = mends.get(error.code ?? '') ?? ''
  return new SpawnError(`no process could be started: ${error.message}${where}${mend}`, { cause: error })
}

export interface Launched {
  readonly child: ChildProcess
  readonly pid: number
  readonly socket: Socket
  readonly at: Inherited
}

/** A new Node process, or `null`: then `refused` hears why, later. */
export function launch(
  circumstances: Circumstances,
  inheritance: Inheritance,
  refused: (error: SpawnError) => void,
): Launched | null {
  const { surroundings, options } = circumstances
  const { at, descriptors } = inherited(inheritance)
  let child: ChildProcess
  try {
    child = spawn(process.execPath, [...surroundings.execArgv, MAIN], {
      stdio: ['ignore', options.stdio, options.stdio, 'pipe', ...descriptors],
      env: environmentOf(circumstances),
      cwd: directoryOf(circumstances),
      // A session of its own: no terminal ends it.
      detached: options.detached,
      shell: false,
      windowsHide: true,
    })
  } catch (error) {
    // As it does for some refusals only.
    queueMicrotask(() => refused(refusalOf(error as NodeJS.ErrnoException, circumstances)))
    return null
  }
  // Where no more files can be opened, Node returns a child without streams.
  const socket = (child as Partial<ChildProcess>).stdio?.[LINK] as Socket | undefined
  const { pid } = child
  if (pid !== undefined && socket !== undefined) return { child, pid, socket, at }
  // The reason comes as an 'error' event in the next tick.
  child.once('error', (error) => refused(refusalOf(error, circumstances)))
  socket?.destroy()
  return null
}
