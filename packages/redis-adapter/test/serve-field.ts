/** A namespace on a Redis: a program that runs nothing itself, and others that do. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Context } from '@skein/core'
import { onTestFinished } from 'vitest'
import { type Host, hostForTest, type HostOptions } from '../../../integration-tests/support/hosts.ts'
import { freshNamespace, type RedisServer } from '../../../integration-tests/support/redis.ts'

export interface Field {
  readonly mp: Context
  readonly namespace: string
  /** @param options `url`: another way to the same server */
  readonly host: (options?: HostOptions & { readonly url?: string }) => Promise<Host>
  /** Another program's context, in this process. */
  readonly other: () => Promise<Context>
}

/** @param sessionTtl short, where somebody is lost: a busy machine loses others by it */
export async function field(server: RedisServer, sessionTtl: number = 5_000): Promise<Field> {
  const namespace = freshNamespace()
  const open = async (serve: false | undefined): Promise<Context> => {
    const context = await connect(server.url, { namespace, serve, sessionTtl })
    onTestFinished(() => context.close())
    return context
  }
  return {
    mp: await open(false),
    namespace,
    host: ({ url = server.url, connect: more, ...options } = {}) =>
      hostForTest(url, namespace, { ...options, connect: { sessionTtl, ...more } }),
    other: () => open(undefined),
  }
}

/** A file to which each run of `count` adds. */
export function counter(): { readonly path: string; readonly count: () => number } {
  const folder = mkdtempSync(join(tmpdir(), 'skein-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'count')
  return { path, count: () => readFileSync(path).length }
}
