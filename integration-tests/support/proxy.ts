/** A TCP proxy between a program and its Redis that cuts, holds up or refuses connections, and loses single replies. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** The next bytes from the server are swallowed, then the connection ends: the request has taken effect, its answer is lost. */
  swallow: boolean
}

interface Watch {
  readonly to: RegExp
  readonly loses: boolean
  readonly done: () => void
}

export class Proxy {
  readonly url: string
  readonly #listener: Server
  readonly #pairs = new Set<Pair>()
  #watches: Watch[] = []
  #refusing = false
  #held = false

  private constructor(listener: Server, url: string) {
    this.#listener = listener
    this.url = url
  }

  /** @param target the server's url; what stands in it besides host and port is kept in the proxy's url */
  static async start(target: string): Promise<Proxy> {
    const { hostname, port } = new URL(target)
    const listener = createServer()
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const address = listener.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const url = new URL(target)
    url.hostname = '127.0.0.1'
    url.port = String(address.port)
    const proxy = new Proxy(listener, url.href)
    listener.on('connection', (client) => proxy.#pair(client, hostname, Number(port === '' ? 6379 : port)))
    return proxy
  }

  /** How many connections go through it now. */
  get connections(): number {
    return this.#pairs.size
  }

  /** Loses the answer to the next request whose bytes match; settles when that has happened. */
  async dropReply(to = /EVALSHA/i): Promise<void> {
    return new Promise((done) => this.#watches.push({ to, loses: true, done }))
  }

  /** Settles when the next request whose bytes match comes through. */
  async seen(to: RegExp): Promise<void> {
    return new Promise((done) => this.#watches.push({ to, loses: false, done }))
  }

  /** Ends all connections; new ones are let through. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy()
      server.destroy()
    }
  }

  /** Ends all connections and takes no new ones until `accept`. */
  refuse(): void {
    this.#refusing = true
    this.cut()
  }

  /** Takes no new connections until `accept`; those there are go on. */
  refuseNext(): void {
    this.#refusing = true
  }

  accept(): void {
    this.#refusing = false
  }

  /** No byte passes, either way, until `flow`; connections stay open. */
  hold(): void {
    this.#held = true
    for (const { client, server } of this.#pairs) {
      client.pause()
      server.pause()
    }
  }

  flow(): void {
    this.#held = false
    for (const { client, server } of this.#pairs) {
      client.resume()
      server.resume()
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#listener, 'close')
    this.#listener.close()
    this.cut()
    await closed
  }

  #pair(client: Socket, host: string, port: number): void {
    if (this.#refusing) {
      client.destroy()
      return
    }
    const server = connect(port, host)
    const pair: Pair = { client, server, swallow: false }
    this.#pairs.add(pair)
    const end = (): void => {
      client.destroy()
      server.destroy()
      this.#pairs.delete(pair)
    }
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', end)
      if (this.#held) socket.pause()
    }
    client.on('data', (bytes: Buffer) => {
      this.#look(pair, bytes)
      server.write(bytes)
    })
    server.on('data', (bytes: Buffer) => {
      if (pair.swallow) end()
      else client.write(bytes)
    })
  }

  #look(pair: Pair, bytes: Buffer): void {
    if (this.#watches.length === 0 || pair.swallow) return
    const text = bytes.toString('latin1')
    const hit = this.#watches.find(({ to }) => to.test(text))
    if (hit === undefined) return
    this.#watches = this.#watches.filter((watch) => watch !== hit)
    pair.swallow = hit.loses
    hit.done()
  }
}
