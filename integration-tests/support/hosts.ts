/** Programs that run what others start, as real processes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const HOST = fileURLToPath(new URL('../programs/host.mjs', import.meta.url))

/** Characters of what a host that does not come up has written. */
const LONGEST = 4_000

export interface Host {
  readonly pid: number
  readonly process: ChildProcess
  /** In good order. Resolves when it has ended. */
  close(): Promise<void>
  /** `'drained'` when nothing runs there for others, and nothing more will; else the name of the error. */
  drain(wait?: { readonly timeout: number }): Promise<unknown>
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<void>
}

export interface HostOptions {
  /** Of `connect()`. */
  readonly connect?: Readonly<Record<string, unknown>>
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** What the command line begins with, to run it elsewhere. */
  readonly prefix?: readonly string[] | undefined
  /** The Node that it runs on; default: this one. */
  readonly node?: string
  /** Its file; default: `programs/host.mjs`, on the packages as they are built here. */
  readonly file?: string
}

export async function startHost(
  url: string,
  namespace: string,
  { connect = {}, cwd, env = process.env, prefix = [], node = process.execPath, file = HOST }: HostOptions = {},
): Promise<Host> {
  const stdio = ['inherit', 'inherit', 'pipe', 'ipc'] as const
  const [command, ...args] = [...prefix, node, file, url, namespace, JSON.stringify(connect)]
  const child = spawn(command, args, { cwd, env, stdio: [...stdio] })
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-LONGEST)
    process.stderr.write(text)
  })
  const written = once(child, 'close')
  const ended = once(child, 'exit').then(() => undefined)
  await Promise.race([
    once(child, 'message'),
    ended.then(async () => {
      await written
      throw new Error(`the host ended before it was ready: ${complaint}`)
    }),
  ])
  return {
    pid: child.pid as number,
    process: child,
    ended,
    drain: async (wait = { timeout: 60_000 }) => {
      child.send({ drain: wait })
      const [said] = (await once(child, 'message')) as [unknown]
      return said
    },
    close: async () => {
      if (child.connected) child.send('close')
      await ended
    },
    kill: (signal) => void child.kill(signal),
  }
}

/** Ended with the test. */
export async function hostForTest(url: string, namespace: string, options?: HostOptions): Promise<Host> {
  const host = await startHost(url, namespace, options)
  onTestFinished(async () => {
    host.kill('SIGKILL')
    await host.ended
  })
  return host
}
