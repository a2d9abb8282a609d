/** A topic at the broker: nothing but those who listen. */
import type { ObjectSnapshot } from '../contract/snapshot.ts'
import { BrokerObject, type Methods } from '../supervisor/broker/broker-object.ts'
import { Listeners } from '../supervisor/broker/listeners.ts'
import type { Session } from '../supervisor/broker/session.ts'
import { topicSnapshot } from '../supervisor/broker/snapshots.ts'

export class TopicObject extends BrokerObject {
  readonly #listeners = new Listeners()
  #count = 0

  constructor(name: string) {
    super('topic', name)
  }

  protected override readonly methods: Methods = {
    publish: (call) => {
      this.#count += 1
      this.#listeners.publish(this.#count, (call.args as [Uint8Array])[0])
      call.ok()
    },
  }

  override post(session: Session, object: number, method: string, args: readonly unknown[]): void {
    const [id, messages, bytes] = args as [number, number, number]
    if (method === 'subscribe') this.#listeners.add(session, object, id, this.#count)
    else if (method === 'unsubscribe') this.#listeners.remove(session, object, id)
    else if (method === 'taken') this.#listeners.taken(session, object, id, [messages, bytes])
    else super.post(session, object, method, args)
  }

  override check(): void {
    // A topic has no shape.
  }

  override leave(session: Session): void {
    this.#listeners.leave(session)
  }

  override inspect(): ObjectSnapshot {
    return topicSnapshot(this.name, this.#listeners.parties)
  }

  override end(): void {
    // The broker tells all who know it.
  }
}
