/** A master with a replica, and Sentinels that watch over them, all real. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProcess } from './redis-process.ts'
import type { RedisControls } from './redis.ts'
import { ask } from './resp.ts'

export interface Watched {
  /** `redis+sentinel:` with all Sentinels. */
  readonly url: string
  /** The master of the moment, as the Sentinels say. */
  master(): Promise<string>
  /** Resolves when the replica has all that the first master has now. */
  synced(): Promise<void>
  /** The one that was the master at first. */
  readonly first: RedisControls
  close(): Promise<void>
}

const NAME = 'main'

/** Milliseconds of silence after which a master counts as down. */
const DOWN = 500

async function started(options: Parameters<typeof startProcess>[0]): Promise<RedisControls> {
  const server = await startProcess({ own: true, ...options })
  if (typeof server === 'string') throw new Error(server)
  return server
}

export async function startWatched(sentinels = 3): Promise<Watched> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-sentinel-'))
  const first = await started({})
  const port = new URL(first.url).port
  const second = await started({ args: ['--replicaof', '127.0.0.1', port, '--repl-diskless-sync-delay', '0'] })
  const watchers: RedisControls[] = []
  for (let index = 0; index < sentinels; index += 1) {
    const file = join(folder, `sentinel-${index}.conf`)
    const majority = Math.floor(sentinels / 2) + 1
    writeFileSync(file, `sentinel monitor ${NAME} 127.0.0.1 ${port} ${majority}\nsentinel down-after-milliseconds ${NAME} ${DOWN}\nsentinel failover-timeout ${NAME} 3000\n`) // prettier-ignore
    watchers.push(await started({ file, args: ['--sentinel'] }))
  }
  const hosts = watchers.map(({ url }) => new URL(url).host)
  const [one = first] = watchers
  const master = async (): Promise<string> => {
    const [host, at] = (await ask(one.url, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as string[]
    return `redis://${host}:${at}`
  }
  // Until each knows the others and the replica, none of them would begin a failover.
  const ready = async (): Promise<boolean> => {
    const states = await Promise.all(watchers.map(({ url }) => ask(url, 'SENTINEL', 'MASTER', NAME)))
    return states.every((state) => {
      const words = (state as string[]).map(String)
      const number = (name: string): number => Number(words[words.indexOf(name) + 1])
      return number('num-slaves') === 1 && number('num-other-sentinels') === sentinels - 1
    })
  }
  const same = async (): Promise<boolean> => {
    const info = String(await ask(first.url, 'INFO', 'replication'))
    const [, offset] = /master_repl_offset:(\d+)/.exec(info) ?? []
    return new RegExp(`state=online,offset=${offset},`).test(info)
  }
  const synced = async (): Promise<void> => {
    while (!(await same())) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await synced()
  while (!(await ready())) await new Promise((resolve) => setTimeout(resolve, 50))
  return {
    url: `redis+sentinel://${hosts.join(',')}/${NAME}`,
    master,
    synced,
    first,
    close: async () => {
      await Promise.all([...watchers, first, second].map((server) => server.close()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
