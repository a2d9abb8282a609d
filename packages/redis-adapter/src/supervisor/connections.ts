/** Opens the program's clients of Redis: reached, signed in and ready within a deadline, or refused with the reason. */
import { connect as tlsConnect } from 'node:tls'
import { Redis } from 'ioredis'
import { type Server, shown } from '../options.ts'
import { failureOf, isOwnWord, type Mask } from './failure.ts'
import { CONNECT_DEADLINE, type Settings } from './settings.ts'

/** Milliseconds for a port to answer to a TLS handshake. */
const TLS_PATIENCE = 500

/** A client that has not connected yet. Its errors are looked at where they matter, and end nobody. */
export function makeClient(settings: Settings): Redis {
  const client = new Redis(settings)
  client.on('error', () => {
    // A lost connection shows as the events `close` and, later, `ready`.
  })
  return client
}

/**
 * Waits for the first try: at the start of a program somebody waits for the answer. The client goes on trying until it is hung up.
 *
 * @throws ConnectionError and its kinds, with the last thing that went wrong as cause
 */
export async function reach(client: Redis, server: Server, mask: Mask): Promise<void> {
  let last: unknown = null
  const keep = (error: unknown): void => {
    // What the client says of itself afterwards tells less.
    if (last === null || !isOwnWord(error)) last = error
  }
  client.on('error', keep)
  // Over TLS: hands are shaken.
  let met = false
  const greeted = (): void => void (met = true)
  client.on('connect', greeted)
  let timer: NodeJS.Timeout | undefined
  let silent = false
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      silent = true
      reject(new Error(`no answer within ${CONNECT_DEADLINE} ms`))
    }, CONNECT_DEADLINE)
  })
  const connected = client.connect()
  connected.catch(() => {
    // Also when the deadline came first.
  })
  try {
    await Promise.race([connected, late])
  } catch (error) {
    const failure = failureOf(last ?? error, shown(server), mask)
    // The TLS handshake with a port that waits for more before it answers ends in silence.
    if (server.tls !== null && silent && !met && last === null) {
      throw failureOf(
        Object.assign(new Error(`no answer to the TLS handshake within ${CONNECT_DEADLINE} ms`), {
          code: 'ERR_SSL_WRONG_VERSION_NUMBER',
        }),
        shown(server),
        mask,
      )
    }
    throw failure
  } finally {
    clearTimeout(timer)
    client.removeListener('error', keep)
    client.removeListener('connect', greeted)
  }
}

/**
 * What is answered, unless the connection is lost before: of a question under way the client itself would say so at its deadline only.
 *
 * @param patience milliseconds; where there are none, the client's own deadline is soon enough
 */
export async function answered<T>(client: Redis, answer: Promise<T>, patience: number | null = null): Promise<T> {
  let cut = (): void => undefined
  let timer: NodeJS.Timeout | undefined
  const lost = new Promise<never>((_, reject) => {
    cut = () => reject(new Error('Connection is closed.'))
    client.once('close', cut)
    if (patience !== null) timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience)
  })
  answer.catch(() => {
    // Also when the connection was lost first.
  })
  try {
    return await Promise.race([answer, lost])
  } finally {
    clearTimeout(timer)
    client.removeListener('close', cut)
  }
}

/** One that is about to end calls itself ready until it has. */
function usable({ status, stream }: Redis): boolean {
  return status === 'ready' && stream.writable
}

/** Waits until all of these connections are there at once, however often it fails meanwhile to make one of them again, for so many ms. */
export async function ready(clients: readonly Redis[], patience: number): Promise<void> {
  if (clients.every(usable)) return
  let timer: NodeJS.Timeout | undefined
  let [look, over] = [(): void => undefined, (): void => undefined]
  try {
    await new Promise<void>((resolve, reject) => {
      look = () => clients.every(usable) && resolve()
      over = () => reject(new Error('Connection is closed.'))
      timer = setTimeout(() => reject(new Error(`not connected again within ${patience} ms`)), patience)
      for (const client of clients) client.on('ready', look).once('end', over)
    })
  } finally {
    clearTimeout(timer)
    for (const client of clients) client.removeListener('ready', look).removeListener('end', over)
  }
}

/** Whether that port, which closes plain connections without a word, answers to a TLS handshake. */
export async function speaksTls({ host, port }: Server): Promise<boolean> {
  const socket = tlsConnect({ host, port, rejectUnauthorized: false })
  try {
    return await new Promise<boolean>((resolve) => {
      socket.setTimeout(TLS_PATIENCE, () => resolve(false))
      socket.once('secureConnect', () => resolve(true))
      // An alert is an answer, too.
      socket.once('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(/^ERR_SSL_.*ALERT/.test(code)))
      socket.once('close', () => resolve(false))
    })
  } finally {
    socket.destroy()
  }
}

/** Says goodbye; whatever had no answer yet gets none. */
export function hangUp(...clients: readonly Redis[]): void {
  for (const client of clients) client.disconnect()
}
