/** What a put and a join of a process ask of Redis, and how their calls are answered. */
import { type Call, type QueueShape, shapeConflict } from '@skein/core/adapter'
import type { Mode, PutAnswer, PutMore, QueueCommands } from './queue-commands.ts'
import type { Request } from './line.ts'

export interface PutRequestOptions {
  readonly label: string
  readonly shape: QueueShape
  /** Programs that stand in the way. */
  suspect(others: readonly string[]): void
  closed(): Error
  send(rid: string, bytes: Uint8Array, mode: Mode, more: PutMore): Promise<PutAnswer>
}

export function putRequest(call: Call, options: PutRequestOptions): Request {
  const [bytes, poll, how] = call.args as [Uint8Array, boolean, (readonly unknown[])?]
  const said = how === undefined ? {} : { how: how.join(' ') }
  const { label, shape } = options
  return {
    call,
    poll,
    ask: async (rid, mode, former) => {
      const answer = await options.send(rid, bytes, mode, { former, ...said })
      if (answer.kind === 'done') return () => call.ok(0)
      if (answer.kind === 'full') return () => call.ok(false)
      if (answer.kind === 'closed') return () => call.fail(options.closed())
      if (answer.kind === 'shape') return () => call.fail(shapeConflict(label, answer, shape) as Error)
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

/** @param closed the error for a queue that is closed */
export async function retry(commands: QueueCommands, call: Call, closed: () => Error): Promise<boolean> {
  const answer = await commands.retry((call.args as [string])[0])
  if (answer === 'closed') throw closed()
  return answer === 'done'
}
