/**
 * A TCP proxy between a program and its Redis that cuts, holds up or refuses connections, and loses single replies. Where the server speaks TLS it
 * does so, too, to either side: it must read what it loses. In front of a cluster there is one for each master, where that seems to be.
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { allBehind, Detour } from './detour.ts'
import { certificate } from './secured.ts'

interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** Settles when the last bytes have gone to the server; `null`: they have. */
  late: Promise<void> | null
  /** The next bytes from the server are swallowed, then the connection ends: the request has taken effect, its answer is lost. */
  swallow: boolean
}

interface Watch {
  readonly to: RegExp
  readonly then: 'pass' | 'swallow' | 'mute'
  readonly done: () => void
}

/** Hears what goes through; `connection` is a number of its own for each. */
export interface Tap {
  asked(connection: number, bytes: Buffer): void
  /** Only what the client is told, too. */
  answered(connection: number, bytes: Buffer): void
  ended(connection: number): void
}

export interface Door {
  readonly listener: Server
  /** Hears of each client that can be spoken to. */
  readonly onClient: (told: (client: Socket) => void) => unknown
  /** A connection to the server behind it. */
  readonly dial: () => Socket
  /** For one connection: what the client is to be told for what the server answers, piece by piece. */
  readonly changes: () => (answer: Buffer) => Buffer
}

/** For servers that stand between programs and `target`, the first of them before that itself; they do not listen yet. */
export async function doorsTo(target: string): Promise<readonly Door[]> {
  const behind = await allBehind(target)
  let detour: Detour | null = null
  const changes = (): ((answer: Buffer) => Buffer) => {
    detour ??= new Detour(
      behind,
      doors.map((door) => urlOf(door, target)),
    )
    return detour.changes()
  }
  const doors = behind.map((url) => doorTo(url, changes))
  return doors
}

function doorTo(target: string, changes: Door['changes']): Door {
  const { protocol, hostname: host, port: given } = new URL(target)
  const where = { host, port: Number(given === '' ? 6379 : given) }
  if (protocol !== 'rediss:') {
    const listener = createServer()
    return { listener, onClient: (told) => listener.on('connection', told), dial: () => connect(where), changes }
  }
  const secure = certificate()
  const listener = createTlsServer(secure)
  listener.on('tlsClientError', (_error, client) => client.destroy())
  const { ca } = secure
  return {
    listener,
    onClient: (told) => listener.on('secureConnection', told),
    dial: () => connectTls({ ...where, ca }),
    changes,
  }
}

/** Of what listens there, in place of the target. */
function urlOf({ listener }: Door, target: string): string {
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(address.port)
  return url.href
}

/** The url of what listens there from now on, in place of the target. */
export async function opened(doors: readonly Door[], target: string): Promise<string> {
  for (const { listener } of doors) {
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
  }
  return urlOf(doors[0] as Door, target)
}

export class Proxy {
  readonly url: string
  readonly #listeners: readonly Server[]
  readonly #pairs = new Set<Pair>()
  #watches: Watch[] = []
  #refusing = false
  #mute = false
  #held = false
  #lag: (() => number) | null = null
  readonly #tap: Tap | null
  #count = 0

  private constructor(listeners: readonly Server[], url: string, tap: Tap | null) {
    this.#listeners = listeners
    this.url = url
    this.#tap = tap
  }

  /** @param target the server's url; what stands in it besides host and port is kept in the proxy's url */
  static async start(target: string, tap: Tap | null = null): Promise<Proxy> {
    const doors = await doorsTo(target)
    const listeners = doors.map(({ listener }) => listener)
    const proxy = new Proxy(listeners, await opened(doors, target), tap)
    for (const door of doors) {
      // Refused before hands are shaken over TLS, as without it.
      door.listener.on('connection', (client) => proxy.#refusing && client.destroy())
      door.onClient((client) => proxy.#pair(client, door))
    }
    return proxy
  }

  /** How many connections go through it now. */
  get connections(): number {
    return this.#pairs.size
  }

  /** Loses the answer to the next request whose bytes match; settles when that has happened. */
  async dropReply(to = /EVALSHA/i): Promise<void> {
    return new Promise((done) => this.#watches.push({ to, then: 'swallow', done }))
  }

  /** Settles when the next request whose bytes match comes through. */
  async seen(to: RegExp): Promise<void> {
    return new Promise((done) => this.#watches.push({ to, then: 'pass', done }))
  }

  /** The next request whose bytes match, and all that come after it, do not reach the server, until `unmute`; settles when the first has come. */
  async muteAt(to: RegExp): Promise<void> {
    return new Promise((done) => this.#watches.push({ to, then: 'mute', done }))
  }

  /** Ends all connections: what they have begun to say is lost. */
  unmute(): void {
    this.#mute = false
    this.cut()
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

  /** Requests take so many ms longer, asked anew for each piece; `null`: no longer. What one connection says stays in order. */
  lag(time: (() => number) | null): void {
    this.#lag = time
  }

  async close(): Promise<void> {
    const closed = this.#listeners.map((listener) => once(listener, 'close'))
    for (const listener of this.#listeners) listener.close()
    this.cut()
    await Promise.all(closed)
  }

  #pair(client: Socket, { dial, changes }: Door): void {
    if (this.#refusing) {
      client.destroy()
      return
    }
    const server = dial()
    const changed = changes()
    const pair: Pair = { client, server, late: null, swallow: false }
    this.#pairs.add(pair)
    const number = (this.#count += 1)
    const end = (): void => {
      client.destroy()
      server.destroy()
      if (this.#pairs.delete(pair)) this.#tap?.ended(number)
    }
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', end)
      if (this.#held) socket.pause()
    }
    client.on('data', (bytes: Buffer) => {
      const pass = (): void => {
        if (!this.#pairs.has(pair)) return
        this.#look(pair, bytes)
        if (this.#mute) return
        this.#tap?.asked(number, bytes)
        server.write(bytes)
      }
      if (this.#lag === null && pair.late === null) return pass()
      const time = this.#lag?.() ?? 0
      const late = (pair.late ?? Promise.resolve())
        .then(() => new Promise((over) => setTimeout(over, time)))
        .then(() => {
          pass()
          if (pair.late === late) pair.late = null
        })
      pair.late = late
    })
    server.on('data', (bytes: Buffer) => {
      if (pair.swallow) return end()
      const told = changed(bytes)
      this.#tap?.answered(number, told)
      client.write(told)
    })
  }

  #look(pair: Pair, bytes: Buffer): void {
    if (this.#watches.length === 0 || pair.swallow) return
    const text = bytes.toString('latin1')
    const hit = this.#watches.find(({ to }) => to.test(text))
    if (hit === undefined) return
    this.#watches = this.#watches.filter((watch) => watch !== hit)
    pair.swallow = hit.then === 'swallow'
    if (hit.then === 'mute') this.#mute = true
    hit.done()
  }
}
