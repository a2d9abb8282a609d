/** Entry of the supervisor thread on Redis. What takes its time outside of this process begins first. */
import { FifoStock, supervise, threadStart } from '@skein/core/adapter'
import type { ThreadStart } from '../options.ts'

const stock = new FifoStock()
const { RedisBackend } = await import('./backend.ts')
supervise(stock, new RedisBackend(threadStart() as ThreadStart))
