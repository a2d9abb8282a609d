/** A process of a program within the test's own: core's broker at one end, and its client at the other. */
import { type Broker, BrokerClient, Link, type LinkEvents, type Session } from '@skein/core/adapter'

/** One end of a link within this process. */
class PairLink extends Link {
  peer: PairLink | null = null
  /** Nothing comes out of it while it is set. */
  stopped = false

  protected override write(segments: readonly Uint8Array[]): null {
    const bytes = Buffer.concat(segments.map((one) => Uint8Array.from(one)))
    setImmediate(() => this.peer?.arrived(bytes))
    return null
  }
  arrived(bytes: Uint8Array): void {
    if (!this.stopped) this.received(bytes)
  }
  override ref(): void {
    // Nothing keeps this process alive but the test.
  }
  override unref(): void {
    // As above.
  }
  override close(): void {
    const { peer } = this
    this.finish()
    setImmediate(() => peer?.finish())
  }
}

export interface Linked {
  readonly client: BrokerClient
  /** As by `kill -9`. */
  readonly kill: () => void
}

export function linked(broker: Broker, session: Session): Linked {
  const ends: PairLink[] = []
  const client = new BrokerClient((events: LinkEvents) => {
    const near = new PairLink(events, false)
    const far = new PairLink({ frame: (frame) => session.frame(frame), ended: () => broker.end(session) }, false)
    near.peer = far
    far.peer = near
    ends.push(near, far)
    return near
  })
  const [near, far] = ends as [PairLink, PairLink]
  session.connect(far)
  const kill = (): void => {
    near.stopped = true
    broker.end(session)
  }
  return { client, kill }
}
