/**
 * Entry of the supervisor thread on the local adapter, where the thread itself keeps all state. What takes its time outside of this
 * process begins first, and goes on while everything else is loaded.
 */
import { FifoStock } from '../supervisor/fifo-stock.ts'
import type { Meeting } from './local-adapter.ts'

const stock = new FifoStock()
const { supervise, threadStart } = await import('../supervisor/supervise.ts')
const meeting = threadStart() as Meeting | null
if (meeting === null) {
  const { localBackend } = await import('./local-backend.ts')
  supervise(stock, localBackend)
} else {
  const { MeetingBackend } = await import('./meeting/meeting-backend.ts')
  supervise(stock, new MeetingBackend(meeting.name))
}
