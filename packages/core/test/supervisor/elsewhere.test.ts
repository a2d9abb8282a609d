/** Objects that another program keeps, at the broker: what is asked of them before it is known that they are there, and what becomes of it. */
import { ConnectionError, StateError } from '@skein/core'
import {
  Broker,
  type BrokerClient,
  BrokerObject,
  type Call,
  type Foreign,
  type Methods,
  type Session,
} from '@skein/core/adapter'
import { expect, test } from 'vitest'
import { clientOf } from '../../../../integration-tests/support/wire.ts'
import { deferred, type Deferred } from '../../dist/util/deferred.js'

const NAME = '~other-1'

class Diary extends BrokerObject {
  readonly told: unknown[] = []

  constructor() {
    super('event', NAME)
  }

  protected override readonly methods: Methods = {
    note: (call) => this.#note(call),
  }

  #note(call: Call): void {
    this.told.push(call.args[0])
    call.ok(this.told.length)
  }

  override post(_session: Session, _object: number, _method: string, args: readonly unknown[]): void {
    if (args[0] === 'fail') throw new Error('a defect that the test has made')
    this.told.push(args[0])
  }

  override check(): void {
    // One shape.
  }

  override leave(): void {
    // It holds nothing.
  }

  override end(): void {
    // Nobody is told.
  }
}

interface Place {
  readonly client: BrokerClient
  readonly broker: Broker
  readonly number: number
  /** One for each time that the other program was asked. */
  readonly asked: Deferred<BrokerObject>[]
  readonly diary: Diary
  readonly note: (what: unknown, signal?: AbortSignal) => Promise<unknown>
}

function place(): Place {
  const asked: Deferred<BrokerObject>[] = []
  const diary = new Diary()
  const elsewhere = (of: Foreign): Promise<BrokerObject> => {
    const answer = deferred<BrokerObject>()
    asked.push(answer)
    return answer.promise.then(() => of.make())
  }
  const broker = new Broker({ event: () => diary }, { program: 'mine', elsewhere })
  const session = broker.session({ id: 'mine', name: 'mine', pid: 1, host: 'h' })
  const client = clientOf(broker, session)
  const number = client.open('event', NAME, null, true, 'other')
  const note = (what: unknown, signal?: AbortSignal): Promise<unknown> =>
    client.call(number, 'note', [what], signal === undefined ? {} : { wait: { signal } })
  return { client, broker, number, asked, diary, note }
}

const there = undefined as unknown as BrokerObject

test('is asked for once; what is meant for it waits, in order, and what was given up is not done', async () => {
  const { client, number, asked, diary, note } = place()
  const given = new AbortController()
  const [first, second] = [note('call 1'), note('given up', given.signal)]
  client.post(number, 'note', 'post 2')
  const third = note('call 3')
  client.flush()
  given.abort(new Error('enough'))
  client.flush()
  await expect(second).rejects.toThrow('enough')
  expect(diary.told).toEqual([])
  asked[0]?.resolve(there)
  expect(await first).toBe(1)
  expect(await third).toBe(3)
  expect(diary.told).toEqual(['call 1', 'post 2', 'call 3'])
  expect(asked).toHaveLength(1)
})

test('what fails there keeps nothing behind it', async () => {
  const { client, number, asked, note } = place()
  client.post(number, 'note', 'fail')
  const next = note('next')
  client.flush()
  asked[0]?.resolve(there)
  expect(await next).toBe(1)
})

test('one that is gone stays so; one that could not be asked for is asked for again', async () => {
  const { asked, note } = place()
  const first = note('first')
  await expect.poll(() => asked).toHaveLength(1)
  asked[0]?.reject(new ConnectionError('no way'))
  await expect(first).rejects.toThrow('no way')
  const second = note('second')
  await expect.poll(() => asked).toHaveLength(2)
  asked[1]?.resolve(there)
  expect(await second).toBe(1)

  const other = place()
  const late = other.note('late')
  await expect.poll(() => other.asked).toHaveLength(1)
  other.asked[0]?.reject(new StateError('it is gone'))
  await expect(late).rejects.toThrow('it is gone')
  await expect(other.note('later')).rejects.toThrow('it is gone')
  expect(other.asked).toHaveLength(1)
})
