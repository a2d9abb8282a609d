// Skein on Redis beside redlock, redis-semaphore and BullMQ: one interleaved run, a table of ratios.
//
//   node benchmarks/redis.mjs [--rounds N] [--only name,name] [--json]
//
// Uses the Redis at SKEIN_TEST_REDIS_URL, whose database it fills and empties; else it starts a `redis-server` of its own that
// keeps nothing on disk. Measures as run.mjs does.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

import { compare } from './compare.mjs'
import { rows } from './redis-rows.mjs'

/** Milliseconds for a new server to answer. */
const PATIENCE = 5_000

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function startRedis() {
  const given = process.env['SKEIN_TEST_REDIS_URL'] ?? ''
  if (given !== '') return { url: given, stop: async () => {} }
  const folder = await mkdtemp(join(tmpdir(), 'skein-bench-'))
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const server = spawn('redis-server', args, { stdio: 'ignore' })
  server.once('error', () => {
    console.error('No redis-server on the PATH; install one, or name a Redis to use up in SKEIN_TEST_REDIS_URL.')
    process.exit(2)
  })
  // Also when it is interrupted.
  process.once('exit', () => server.kill('SIGKILL'))
  const stop = async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true })
  }
  return { url: `redis://127.0.0.1:${port}`, stop }
}

const { url, stop } = await startRedis()
process.env['SKEIN_URL'] = url
await compare(rows, async () => {
  const client = new Redis(url, { commandTimeout: PATIENCE })
  // While it starts, each attempt is refused; the command waits for one that is not.
  client.on('error', () => {})
  const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown'
  client.disconnect()
  return { Redis: version }
})
await stop()
