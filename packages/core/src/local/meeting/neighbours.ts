/** The other programs of a meeting place, as this one reaches them to ask for their processes: each at its own socket, when it is needed. */
import { BrokerClient } from '../../client/broker-client.ts'
import { ClosedError, ConnectionError } from '../../errors.ts'
import { socketsOf } from './directory.ts'
import { type Answered, greet, hello } from './hello.ts'

/** Milliseconds for a program to answer. */
const PATIENCE = 5_000

export class Neighbours {
  readonly #directory: string
  readonly #program: string
  readonly #known = new Map<string, Promise<BrokerClient | null>>()

  constructor(directory: string, program: string) {
    this.#directory = directory
    this.#program = program
  }

  /** As a client of that program's broker. `null`: no such program lives. */
  reach(program: string): Promise<BrokerClient | null> {
    const known = this.#known.get(program)
    if (known !== undefined) return known
    const reaching = this.#reach(program)
    this.#known.set(program, reaching)
    reaching.then(
      (client) => {
        if (client === null) this.#known.delete(program)
      },
      () => this.#known.delete(program),
    )
    return reaching
  }

  close(): void {
    for (const reaching of this.#known.values()) {
      reaching.then(
        (client) => client?.close(new ClosedError('the context is closed; connect() again')),
        () => undefined,
      )
    }
  }

  async #reach(program: string): Promise<BrokerClient | null> {
    for (const path of await socketsOf(this.#directory, program)) {
      const client = await this.#greet(program, path)
      if (client !== null) return client
    }
    return null
  }

  async #greet(program: string, path: string): Promise<BrokerClient | null> {
    let client: BrokerClient | null = null
    const answered: Answered = {
      frame: (frame) => client?.frame(frame),
      ended: () => {
        this.#known.delete(program)
        client?.ended()
      },
    }
    const known = await greet(path, hello(this.#program, 'peer'), answered, PATIENCE)
    if (known === 'gone') return null
    if (known === 'away') {
      throw new ConnectionError(
        'the program that keeps this does not answer; it is stopped, very busy or about to end',
        {
          retryable: true,
        },
      )
    }
    client = new BrokerClient(() => known.link)
    return client
  }
}
