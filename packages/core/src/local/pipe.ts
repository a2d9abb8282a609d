/**
 * A pipe at the broker: two queues, one a direction, and who used each end last. An end is dead when it was closed or when the
 * process that used it last has died; then its reader meets the end of the stream, and its writer a broken pipe.
 */
import { BrokenPipeError, EndOfStreamError } from '../errors.ts'
import { BrokerObject, type Methods } from '../supervisor/broker/broker-object.ts'
import { type End, inboxName } from '../wire/pipe-ends.ts'
import { QueueObject } from './queue.ts'
import type { Session } from '../supervisor/broker/session.ts'

export class PipeObject extends BrokerObject {
  readonly #inbox: readonly [QueueObject, QueueObject]
  readonly #user: [Session | null, Session | null] = [null, null]
  readonly #dead: [boolean, boolean] = [false, false]

  constructor(name: string, addQueue: (queue: QueueObject) => void) {
    super('pipe', name)
    const unbounded = { maxSize: Number.POSITIVE_INFINITY, maxDeliveries: Number.POSITIVE_INFINITY }
    const inbox = (end: End): QueueObject => {
      const other: End = end === 0 ? 1 : 0
      const queue = new QueueObject(inboxName(name, end), unbounded, (session, use) => {
        this.#use(session, use === 'take' ? end : other)
      })
      addQueue(queue)
      return queue
    }
    this.#inbox = [inbox(0), inbox(1)]
  }

  protected override readonly methods: Methods = {
    close: (call) => {
      const [end] = call.args as [End]
      this.#die(end)
      call.ok()
    },
  }

  override post(session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    this.#use(session, args[0] as End)
  }

  override check(): void {
    // A pipe has no shape to disagree on: its handles come from one call of `pipe()`.
  }

  override leave(session: Session): void {
    for (const end of [0, 1] as const) if (this.#user[end] === session) this.#die(end)
  }

  override end(reason: Error): void {
    for (const queue of this.#inbox) queue.remove?.(reason)
  }

  #use(session: Session, end: End): void {
    if (!this.#dead[end]) this.#user[end] = session
  }

  #die(end: End): void {
    if (this.#dead[end]) return
    this.#dead[end] = true
    this.#user[end] = null
    const other: End = end === 0 ? 1 : 0
    // What was sent may still be received; what nobody will receive is refused.
    this.#inbox[other].shut(
      new EndOfStreamError('the other end of the pipe is closed and everything it sent was received'),
    )
    this.#inbox[end].break(new BrokenPipeError('the other end of the pipe is closed; nothing can be sent to it'))
    if (this.#dead[0] && this.#dead[1]) this.remove?.(new EndOfStreamError('both ends of the pipe are closed'))
  }
}
