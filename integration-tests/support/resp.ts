/** One command to a Redis server over a connection of its own, for tests that must not depend on the client under test. */
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

export type Reply = string | number | null | Reply[]

/** How long a server may take to answer, in ms. */
const PATIENCE = 10_000

/** The value that begins there; `null`: it is not whole yet. */
export function parse(text: string, at: number): { readonly value: Reply | Error; readonly next: number } | null {
  const end = text.indexOf('\r\n', at)
  if (end < 0) return null
  const head = text.slice(at + 1, end)
  const next = end + 2
  switch (text[at]) {
    case '+':
      return { value: head, next }
    case '-':
      return { value: new Error(head), next }
    case ':':
      return { value: Number(head), next }
    case '$': {
      const length = Number(head)
      if (length < 0) return { value: null, next }
      return text.length < next + length + 2
        ? null
        : { value: text.slice(next, next + length), next: next + length + 2 }
    }
    case '*': {
      const values: Reply[] = []
      let place = next
      for (let left = Number(head); left > 0; left -= 1) {
        const one = parse(text, place)
        if (one === null) return null
        values.push(one.value instanceof Error ? one.value.message : one.value)
        place = one.next
      }
      return { value: values, next: place }
    }
    default:
      return { value: new Error(`no Redis: ${JSON.stringify(text.slice(at, at + 40))}`), next: text.length }
  }
}

/** Sends one command, `AUTH` before it if the url has a password. Rejects with the server's own words if it refuses. */
export async function ask(url: string, ...command: readonly (string | number)[]): Promise<Reply> {
  const { protocol, hostname, port, username, password } = new URL(url)
  const commands: (readonly (string | number)[])[] = [command]
  if (password !== '') {
    const names = username === '' ? [] : [decodeURIComponent(username)]
    commands.unshift(['AUTH', ...names, decodeURIComponent(password)])
  }
  return new Promise((resolve, reject) => {
    const where = { host: hostname, port: Number(port === '' ? 6379 : port) }
    const socket = protocol === 'rediss:' ? connectTls(where) : connect(where)
    // One byte is one character, so lengths can be counted in the text.
    socket.setEncoding('latin1')
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`no answer within ${PATIENCE} ms`)))
    let text = ''
    let due = commands.length
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed without an answer')))
    socket.on('data', (more: string) => {
      text += more
      for (;;) {
        const got = parse(text, 0)
        if (got === null) return
        text = text.slice(got.next)
        due -= 1
        if (got.value instanceof Error) reject(got.value)
        else if (due === 0) resolve(got.value)
        else continue
        socket.destroy()
        return
      }
    })
    for (const one of commands) {
      const words = one.map((word) => Buffer.from(String(word)))
      socket.write(`*${words.length}\r\n`)
      for (const word of words) {
        socket.write(`$${word.length}\r\n`)
        socket.write(word)
        socket.write('\r\n')
      }
    }
  })
}
