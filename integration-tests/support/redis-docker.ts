/** A Redis server in a container, where Docker is. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { StartedTestContainer } from 'testcontainers'
import { awaitServer, freePort, persistence } from './redis-process.ts'
import type { RedisControls, RedisOptions } from './redis.ts'

const IMAGE = 'redis:8-alpine'
/** "No Docker" is to be known within this, in ms. */
const PATIENCE = 2_000

/** Loading testcontainers takes longer than to see that there is nothing to ask. */
function mayBeThere(): boolean {
  if (process.platform === 'win32' || (process.env['DOCKER_HOST'] ?? '') !== '') return true
  const home = homedir()
  return [
    '/var/run/docker.sock',
    join(process.env['XDG_RUNTIME_DIR'] ?? '/nowhere', 'docker.sock'),
    join(home, '.docker', 'run', 'docker.sock'),
    join(home, '.docker', 'desktop', 'docker.sock'),
  ].some((path) => existsSync(path))
}

async function within<T>(promise: Promise<T>, time: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${time} ms`)), time)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function why(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

type Testcontainers = typeof import('testcontainers')
type Runtime = Awaited<ReturnType<Testcontainers['getContainerRuntimeClient']>>

class ServerContainer implements RedisControls {
  readonly url: string
  readonly admin: string
  readonly pid = null
  readonly #make: () => Promise<StartedTestContainer>
  readonly #runtime: Runtime
  #container: StartedTestContainer
  #running = true

  constructor(
    url: string,
    runtime: Runtime,
    make: () => Promise<StartedTestContainer>,
    container: StartedTestContainer,
  ) {
    this.url = url
    this.admin = url
    this.#runtime = runtime
    this.#make = make
    this.#container = container
  }

  async stop(): Promise<void> {
    await this.#engines.pause()
  }

  async cont(): Promise<void> {
    await this.#engines.unpause()
  }

  async kill(): Promise<void> {
    if (!this.#running) return
    await this.#engines.kill({ signal: 'SIGKILL' })
    await this.#engines.wait()
    this.#running = false
  }

  async restart({ empty = false }: { readonly empty?: boolean } = {}): Promise<void> {
    await this.kill()
    if (empty) {
      await this.close()
      this.#container = await this.#make()
    } else {
      await this.#engines.start()
      await awaitServer(this.url, () => false, 10_000)
    }
    this.#running = true
  }

  async close(): Promise<void> {
    await this.#engines.remove({ force: true, v: true })
  }

  /** The container as the engine has it: testcontainers itself knows no pause. */
  get #engines(): ReturnType<Runtime['container']['getById']> {
    return this.#runtime.container.getById(this.#container.getId())
  }
}

export async function startContainer(options: RedisOptions): Promise<RedisControls | string> {
  if (!mayBeThere()) return 'no Docker'
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers')
  let runtime: Runtime
  try {
    runtime = await within(getContainerRuntimeClient(), PATIENCE)
  } catch (error) {
    return `Docker does not answer: ${why(error)}`
  }
  const { host } = runtime.info.containerRuntime
  // A port that stays the same when the container is started again.
  const port = await freePort()
  const url = `redis://${host.includes(':') ? `[${host}]` : host}:${port}`
  const command = ['redis-server', '--protected-mode', 'no', ...persistence(options), ...(options.args ?? [])]
  const make = async (): Promise<StartedTestContainer> => {
    const made = await new GenericContainer(IMAGE)
      .withExposedPorts({ container: 6379, host: port })
      .withCommand([...command])
      // The default looks for tools inside the image, which a small image may lack; that it answers is asked below.
      .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
      .start()
    await awaitServer(url, () => false, 10_000)
    return made
  }
  try {
    return new ServerContainer(url, runtime, make, await make())
  } catch (error) {
    return `Docker runs no ${IMAGE}: ${why(error)}`
  }
}
