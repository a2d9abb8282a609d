/**
 * Entry of the supervisor thread on the local adapter. What takes its time outside of this process begins first, and goes on
 * while everything else is loaded.
 */
import { FifoStock } from '../supervisor/fifo-stock.ts'

const stock = new FifoStock()
const { supervise } = await import('./supervisor-thread.ts')
supervise(stock)
