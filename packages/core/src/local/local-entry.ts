/**
 * Entry of the supervisor thread on the local adapter, where the thread itself keeps all state. What takes its time outside of this
 * process begins first, and goes on while everything else is loaded.
 */
import { FifoStock } from '../supervisor/fifo-stock.ts'

const stock = new FifoStock()
const { supervise } = await import('../supervisor/supervise.ts')
const { localBackend } = await import('./local-backend.ts')
supervise(stock, localBackend)
