/** A client of a broker in the same thread, without anything between them that takes time. */
import { type Broker, BrokerClient, Link, type LinkEvents, type Session } from '@skein/core/adapter'

/** One end. */
class Wire extends Link {
  other: Wire | null = null

  constructor(events: LinkEvents) {
    super(events, false)
  }

  protected override write(segments: readonly Uint8Array[]): null {
    for (const segment of segments) this.other?.received(segment)
    return null
  }

  override ref(): void {
    // Nothing keeps the test alive but the test.
  }

  override unref(): void {
    // As above.
  }

  override close(): void {
    this.finish()
  }
}

/** @param session of that broker, which has no client yet */
export function clientOf(broker: Broker, session: Session): BrokerClient {
  const near = new Wire({ frame: (frame) => session.frame(frame), ended: () => broker.end(session) })
  session.connect(near)
  return new BrokerClient((events) => {
    const far = new Wire(events)
    near.other = far
    far.other = near
    return far
  })
}
