/** Before any test runs: a Redis is found, or installed, where no test's time limit counts and no second installer is in the way. */
import { startRedis } from './redis.ts'

export async function setup(): Promise<void> {
  const redis = await startRedis({ own: true })
  await redis.close()
}
