/** Looks for a Docker engine, then for any Redis, and says what became of it. */
import { performance } from 'node:perf_hooks'
import { startContainer } from '../support/redis-docker.ts'
import { startRedis } from '../support/redis.ts'

// Loading it for the first time is not the engine's silence.
await import('testcontainers')
const began = performance.now()
const found = await startContainer({})
const took = performance.now() - began
console.log(`took ${Math.round(took)}`)
console.log(`docker ${typeof found === 'string' ? found : found.url}`)
if (typeof found !== 'string') await found.close()
const redis = await startRedis({ own: true })
console.log(`redis ${String(await redis.ask('PING'))} ${redis.pid ?? ''}`)
await redis.close()
// The engine that says nothing is still being asked.
process.exit()
