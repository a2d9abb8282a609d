/** The supervisor thread on the local adapter: it hosts the broker, starts the children and never runs user code. */
import { hostname } from 'node:os'
import { type MessagePort, workerData } from 'node:worker_threads'
import type { ProcessInfo } from '../supervisor/boot.ts'
import type { FifoStock } from '../supervisor/fifo-stock.ts'
import { reportDefect } from '../supervisor/defect.ts'
import type { Frame } from '../wire/frame.ts'
import { PortLink } from '../wire/port-link.ts'
import { AheadBoard } from './ahead-board.ts'
import { Broker } from './broker/broker.ts'
import { FleetObject } from './broker/fleet.ts'
import { Permits } from './broker/permits.ts'
import { PipeObject } from './broker/pipe.ts'
import { ProcessObject } from './broker/process.ts'
import { QueueObject } from './broker/queue.ts'
import { SessionObject } from './broker/session-object.ts'
import { Starter } from './broker/starter.ts'

export interface ThreadData {
  readonly port: MessagePort
  readonly namespace: string
  readonly main: Omit<ProcessInfo, 'host'>
  /** See ahead-board.ts. */
  readonly board: SharedArrayBuffer
  /** Set to 1 when everything has ended, for a main thread that waits without an event loop. */
  readonly stopped: Int32Array
}

// The thread's end would take every lock, queue and child of the program along, for an error that concerns one of them.
process.on('uncaughtException', (error) => reportDefect('its own work', error))

/** @param stock closed when everything is stopped */
export function supervise(stock: FifoStock): void {
  const { port, namespace, main, board, stopped } = workerData as ThreadData

  const broker: Broker = new Broker({
    lock: (name, spec) => new Permits('lock', name, spec),
    rlock: (name, spec) => new Permits('rlock', name, spec),
    semaphore: (name, spec) => new Permits('semaphore', name, spec),
    queue: (name, spec) => new QueueObject(name, spec),
    pipe: (name) => new PipeObject(name, (queue) => broker.add(queue)),
    process: (name, spec) => new ProcessObject(name, spec, starter),
    fleet: (name, spec, session) => new FleetObject(name, spec, session, starter),
    session: (name) =>
      new SessionObject(name, {
        stop: async (grace) => {
          await starter.stop(grace)
          Atomics.store(stopped, 0, 1)
          Atomics.notify(stopped, 0)
        },
        kill: () => starter.kill(),
      }),
  })
  const starter = new Starter(broker, namespace, stock)

  const session = broker.session({ ...main, host: hostname() }, new AheadBoard(board))
  const events = {
    frame: (frame: Frame) => {
      try {
        session.frame(frame)
      } catch (error) {
        // This frame is lost; the frames behind it in the same chunk are not.
        reportDefect('a message of the main program', error)
      }
    },
    ended: () => {
      broker.end(session)
      // In a thread this ends the thread.
      process.exit()
    },
  }
  const link = new PortLink(port, events, true)
  session.connect(link)
}
