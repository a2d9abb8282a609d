/** Before any test runs: a Redis is found, or installed, where no test's time limit counts and no second installer is in the way. */
import { startRedis } from './redis.ts'
import { prepare } from './secured.ts'

export async function setup(): Promise<() => void> {
  const undo = prepare()
  const redis = await startRedis({ own: true })
  await redis.close()
  return undo
}
