/** `redis+sentinel://user:password@host:port,host:port/name/database`: Sentinels, and the name by which they know the master. */

export interface SentinelUrl {
  readonly sentinels: readonly { readonly host: string; readonly port: number }[]
  /** Of the master, as in `sentinel monitor <name> …`. */
  readonly name: string
  /** For the master; encoded as in the url. */
  readonly username: string
  readonly password: string
  readonly database: number
}

export const SENTINEL = 'redis+sentinel:'

const PORT = 26_379

/** `null`: it cannot be read. Names of hosts are in lower case. */
export function readSentinelUrl(url: string): SentinelUrl | null {
  const [, user = '', hosts = '', name = '', database = '0'] =
    /^redis\+sentinel:\/\/(?:([^@/]*)@)?([^@/]+)\/([^/?#]+)(?:\/(\d{1,4})?)?$/i.exec(url) ?? []
  const sentinels = hosts.split(',').map((host) => {
    const [, address = '', port = String(PORT)] = /^(\[[\da-f:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/i.exec(host) ?? []
    return { host: address.toLowerCase().replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
  })
  if (sentinels.some(({ host, port }) => host === '' || port > 65_535)) return null
  const colon = user.indexOf(':')
  const [username, password] = colon < 0 ? [user, ''] : [user.slice(0, colon), user.slice(colon + 1)]
  return { sentinels, name, username, password, database: Number(database) }
}
