/**
 * Sees to it that one connection of a client ends before the next one begins, for the server, too. It may notice the end of a
 * connection late: a request still on its way there would take effect after what was sent on the next one, and after what took it back.
 */
import type { Redis } from 'ioredis'

export class Succession {
  readonly #client: Redis
  /** The present connection as `CLIENT KILL` wants it; empty until the server has said so. */
  #present: readonly string[] = []

  constructor(client: Redis) {
    this.#client = client
  }

  /** There is a connection, on which nothing has been sent yet. */
  began(): void {
    const before = this.#present
    this.#present = []
    if (before.length > 0) {
      this.#client.call('CLIENT', 'KILL', ...before).catch(() => {
        // It was gone, or this user may not do it.
      })
    }
    this.#client.call('CLIENT', 'INFO').then(
      (info) => (this.#present = filterOf(String(info))),
      () => {
        // Lost again, or this user may not ask.
      },
    )
  }
}

/** With the address: a server that has started anew may have given the number to somebody else. */
function filterOf(info: string): readonly string[] {
  const [, id] = /(?:^| )id=(\d+)/.exec(info) ?? []
  const [, address] = /(?:^| )addr=(\S+)/.exec(info) ?? []
  return id === undefined || address === undefined ? [] : ['ID', id, 'ADDR', address]
}
