/** What a namespace has left on a server: connections, and keys that nobody is documented to keep. */
import type { RedisServer } from './redis.ts'
import type { Reply } from './resp.ts'

/** As the adapter's README lists them. */
function isKept(key: string, namespace: string): boolean {
  const [, kind = '', name = '', part = ''] = new RegExp(`^\\{${namespace}:([^:}]+):?([^}]*)\\}:(.*)$`).exec(key) ?? []
  if (kind === 'sessions') return part === 'run' || part === 'dead' || part === 'store'
  if (kind === 'work' && name === '') return part === 'needs'
  if (name === '' || name.startsWith('~')) return false
  if (kind === 'work' && /^any(?:\.[\da-f]+)*$/.test(name)) return true
  if (['queue', 'value', 'dict', 'list', 'array'].includes(kind)) return true
  if (kind === 'redlock') return part === 'f'
  if (['semaphore', 'event', 'latch', 'barrier', 'condition'].includes(kind) && part === 'm') return true
  return ['lock', 'rlock', 'rwlock', 'election', 'semaphore', 'condition'].includes(kind) && part === 'f'
}

function texts(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map(String) : String(reply).split('\n')
}

/** One line each; nothing, when all contexts of the namespace are closed. */
export async function leftovers(server: Pick<RedisServer, 'ask'>, namespace: string): Promise<string[]> {
  const keys: string[] = []
  let cursor = '0'
  do {
    const [next, page] = (await server.ask('SCAN', cursor, 'MATCH', `*${namespace}:*`, 'COUNT', '1000')) as [
      string,
      Reply,
    ]
    keys.push(...texts(page))
    cursor = next
  } while (cursor !== '0')
  const clients = texts(await server.ask('CLIENT', 'LIST')).filter((line) => line.includes(` name=skein:${namespace}`))
  return [
    ...keys.filter((key) => !isKept(key, namespace)).map((key) => `key ${key}`),
    ...clients.map((line) => `connection${/ name=\S+/.exec(line)?.[0] ?? ''}`),
  ]
}
