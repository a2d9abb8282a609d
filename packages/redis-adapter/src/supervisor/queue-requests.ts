/** What a put and a join of a process ask of Redis, and how their calls are answered. */
import { ConflictError } from '@skein/core'
import type { Call } from '@skein/core/adapter'
import type { Mode, PutAnswer, QueueCommands, QueueShape } from './job-queue.ts'
import type { Request } from './line.ts'

export interface PutRequestOptions {
  readonly label: string
  readonly shape: QueueShape
  /** Programs that stand in the way. */
  suspect(others: readonly string[]): void
  closed(): Error
  send(rid: string, bytes: Uint8Array, mode: Mode, former: string): Promise<PutAnswer>
}

export function putRequest(call: Call, options: PutRequestOptions): Request {
  const [bytes, poll] = call.args as [Uint8Array, boolean]
  const { label, shape } = options
  return {
    call,
    poll,
    ask: async (rid, mode, former) => {
      const answer = await options.send(rid, bytes, mode, former)
      if (answer.kind === 'done') return () => call.ok(0)
      if (answer.kind === 'full') return () => call.ok(false)
      if (answer.kind === 'closed') return () => call.fail(options.closed())
      if (answer.kind === 'shape') return () => call.fail(shapeConflict(label, answer, shape))
      options.suspect(answer.others)
      return null
    },
  }
}

/** @param suspect told of programs that hold what is waited for */
export function joinRequest(
  call: Call,
  commands: QueueCommands,
  suspect: (others: readonly string[]) => void,
): Request {
  const poll = call.args[0] === true
  let upTo = ''
  return {
    call,
    poll,
    ask: async (rid, mode) => {
      const answer = await commands.join(rid, upTo, mode)
      upTo = answer.upTo
      suspect(answer.others)
      return answer.done || poll ? () => call.ok(answer.done) : null
    },
  }
}

export function shapeConflict(label: string, is: QueueShape, asked: QueueShape): ConflictError {
  const shape = (one: QueueShape): string => `maxSize ${one.maxSize} and maxDeliveries ${one.maxDeliveries}`
  return new ConflictError(
    `${label} exists with ${shape(is)}, asked for with ${shape(asked)}; use the same options or another name`,
  )
}
