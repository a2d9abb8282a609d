/** What another program keeps, for the processes of this one: an object without a name, while its creator lives, or a process. */
import { StateError } from '../errors.ts'
import type { Foreign } from '../supervisor/broker/broker.ts'
import { BrokerObject, describe, type Methods } from '../supervisor/broker/broker-object.ts'
import type { Call, Session } from '../supervisor/broker/session.ts'
import type { BrokerClient, ObjectListener } from './broker-client.ts'

/**
 * Resolves when that program has said that the object is there.
 *
 * @param reach makes this program a client of that one's broker; null: no such program lives
 */
export async function openForeign(
  of: Foreign,
  reach: (program: string) => Promise<BrokerClient | null>,
): Promise<BrokerObject> {
  const { program, kind, name } = of
  const client = await reach(program)
  if (client === null) throw new StateError(`${describe(kind, name)} ended with the program that made it`)
  // At the other end an object may go at any moment, the next one included.
  const known = { object: null as BrokerObject | null, news: null as unknown, gone: null as StateError | null }
  const number = client.open(kind as 'process', name, null, true, program)
  const listener: ObjectListener = {
    event: (event, args) => {
      if (event === 'gone') {
        const [reason] = args as [Error]
        known.gone =
          reason instanceof StateError ? reason : new StateError(`${describe(kind, name)} is gone: ${reason.message}`)
        known.object?.remove?.(known.gone)
      } else if (known.object instanceof ForeignProcess) known.object.heard(event, args)
      else if (event === 'news') [known.news] = args
    },
  }
  client.listener(number, () => listener)
  try {
    await client.call(number, 'known')
  } catch (error) {
    if (!client.lost.aborted) client.forget(number)
    throw error
  }
  if (known.gone !== null) throw known.gone
  if (kind !== 'process') {
    known.object = of.make()
    return known.object
  }
  const process = of.add(new ForeignProcess(name, client, number))
  if (known.news !== null) process.heard('news', [known.news])
  known.object = process
  return process
}

/** A process whose record another program keeps: every call goes there, and what is told there is told here. */
class ForeignProcess extends BrokerObject {
  readonly #client: BrokerClient
  readonly #number: number
  readonly #users = new Map<Session, number>()
  #news: unknown = null

  constructor(name: string, client: BrokerClient, number: number) {
    super('process', name)
    this.#client = client
    this.#number = number
  }

  protected override readonly methods: Methods = {}

  override call(method: string, call: Call): void {
    const given = new AbortController()
    call.waits(() => given.abort())
    this.#client.call(this.#number, method, call.args, { wait: { signal: given.signal } }).then(
      (value) => {
        if (!given.signal.aborted) call.ok(value)
      },
      (error: unknown) => {
        if (!given.signal.aborted) call.fail(error as Error)
      },
    )
  }

  override post(_session: Session, _object: number, method: string, args: readonly unknown[]): void {
    this.#client.post(this.#number, method, ...args)
  }

  heard(event: string, args: readonly unknown[]): void {
    if (event === 'news') [this.#news] = args
    for (const [session, number] of this.#users) session.event(number, event, ...args)
  }

  override check(): void {
    // Its name is its id.
  }

  override join(session: Session, number: number): void {
    this.#users.set(session, number)
    if (this.#news !== null) session.event(number, 'news', this.#news)
  }

  override leave(session: Session): void {
    this.#users.delete(session)
  }

  override end(): void {
    this.#users.clear()
  }
}
