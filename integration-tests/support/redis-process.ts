/** A Redis or Valkey server as a process of this machine, installed first if there is none and that can be done. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RedisControls, RedisOptions } from './redis.ts'
import { ask } from './resp.ts'

const PROGRAMS = ['redis-server', 'valkey-server']

/** Package managers that install without a question, and what they call the server. */
const MANAGERS: readonly (readonly [string, readonly (readonly string[])[]])[] = [
  [
    'apt-get',
    [
      ['-o', 'DPkg::Lock::Timeout=120', 'update', '-qq'],
      ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
    ],
  ],
  ['apk', [['add', '--quiet', 'redis']]],
  ['dnf', [['install', '-y', '-q', 'redis']]],
]

function runs(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}

function install(): string | null {
  if (process.getuid?.() !== 0) return 'not root, so none can be installed'
  const manager = MANAGERS.find(([program]) => runs(program))
  if (manager === undefined) return 'no package manager that is known here'
  const [program, steps] = manager
  for (const step of steps) {
    process.stderr.write(`tests need a Redis server: ${program} ${step.join(' ')}\n`)
    const { status, stderr } = spawnSync(program, step, {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    if (status !== 0) return `${program} ${step.join(' ')} failed: ${(stderr ?? '').trim().split('\n').at(-1) ?? ''}`
  }
  return null
}

function find(): { readonly program: string } | string {
  const known = PROGRAMS.find(runs)
  if (known !== undefined) return { program: known }
  const refused = install()
  const installed = refused === null ? PROGRAMS.find(runs) : undefined
  if (installed !== undefined) return { program: installed }
  return `neither ${PROGRAMS.join(' nor ')} on the PATH, ${refused ?? 'and the package brought none'}`
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** The command line that says what a server keeps. */
export function persistence(options: RedisOptions): readonly string[] {
  return options.persistence === 'always'
    ? ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always']
    : ['--save', '', '--appendonly', 'no']
}

/** Answers when the server takes commands; throws what it said if it does not within `patience` ms. */
export async function awaitServer(url: string, ended: () => boolean, patience: number): Promise<void> {
  const end = Date.now() + patience
  for (;;) {
    try {
      await ask(url, 'PING')
      return
    } catch (error) {
      if (ended() || Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

class ServerProcess implements RedisControls {
  readonly url: string
  readonly admin: string
  readonly #program: string
  readonly #port: number
  readonly #directory: string
  readonly #options: RedisOptions
  #child: ChildProcess | null = null
  readonly #end = (): void => {
    this.#child?.kill('SIGKILL')
  }

  constructor(program: string, port: number, directory: string, options: RedisOptions) {
    this.#program = program
    this.#port = port
    this.#directory = directory
    this.#options = options
    this.url = `redis://127.0.0.1:${port}`
    this.admin = this.url
    process.once('exit', this.#end)
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  async start(): Promise<void> {
    const flags = ['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', this.#directory]
    const { file, args = [] } = this.#options
    const all = [...(file === undefined ? [] : [file]), ...flags, ...persistence(this.#options), ...args]
    const child = spawn(this.#program, all, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    let log = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-2_000)))
    try {
      await awaitServer(this.url, () => child.exitCode !== null, 10_000)
    } catch (error) {
      throw new Error(`${this.#program} on port ${this.#port} does not answer: ${log}`, { cause: error })
    }
  }

  async stop(): Promise<void> {
    this.#child?.kill('SIGSTOP')
  }

  async cont(): Promise<void> {
    this.#child?.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  async restart({ empty = false }: { readonly empty?: boolean } = {}): Promise<void> {
    await this.kill()
    if (empty) await rm(join(this.#directory, 'appendonlydir'), { recursive: true, force: true })
    await this.start()
  }

  async close(): Promise<void> {
    await this.kill()
    process.removeListener('exit', this.#end)
    await rm(this.#directory, { recursive: true, force: true })
  }
}

export async function startProcess(options: RedisOptions): Promise<RedisControls | string> {
  const found = find()
  if (typeof found === 'string') return found
  const directory = await mkdtemp(join(tmpdir(), 'skein-redis-'))
  // Between the look for a free port and the server's own bind somebody else may have taken it.
  for (let attempt = 1; ; attempt += 1) {
    const server = new ServerProcess(found.program, await freePort(), directory, options)
    try {
      await server.start()
      return server
    } catch (error) {
      await server.kill()
      if (attempt === 3) throw error
    }
  }
}
