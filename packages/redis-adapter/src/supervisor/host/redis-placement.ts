/** Processes start when the job of their start has come back through Redis. */
import { constants } from 'node:os'
import { encode } from '@skein/core/adapter'
import type { EncodedExit, Launch, Placed, Placement, StartSpec, StarterEvents } from '@skein/core/adapter'
import type { Surround } from '../surround.ts'
import { type OpenQueue, WorkLine } from './work-line.ts'

/** Of a process that was never launched. */
const cancelled: EncodedExit = {
  exitCode: -constants.signals.SIGKILL,
  signal: 'SIGKILL',
  reason: 'signaled',
  error: null,
  result: null,
}

/** What people see of a start in Redis. Target, arguments, environment and directory stay in this program, which runs it. */
function described({ id, name, daemon, parent, role }: StartSpec): string {
  return JSON.stringify({
    id,
    name,
    kind: role.kind,
    daemon,
    parent: { id: parent.id, name: parent.name, pid: parent.pid },
  })
}

export class RedisPlacement implements Placement {
  readonly #line: WorkLine

  constructor(around: Surround, open: OpenQueue) {
    this.#line = new WorkLine(around, 'spawn', (sid) => sid, open)
  }

  start(spec: StartSpec, events: StarterEvents, launch: Launch): Placed {
    const takeBack = this.#line.send({
      json: described(spec),
      taken: () => launch(spec, events),
      refused: (error) =>
        events.ended({ exitCode: 1, signal: null, reason: 'spawn-failed', error: encode(error), result: null }),
    })
    return {
      cancel: () => {
        if (takeBack()) queueMicrotask(() => events.ended(cancelled))
      },
    }
  }

  /** Deletes the queue of starts. */
  close(): Promise<void> {
    return this.#line.close()
  }
}
