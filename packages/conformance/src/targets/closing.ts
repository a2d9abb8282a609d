/** Functions that run elsewhere: contexts that close there, and processes that end while they wait. */
import type { Event, Queue } from '@skein/core'
import { connect } from '@skein/core'

/** Closes its context while it waits through that; says how the wait ended. The process goes on with another one. */
export async function closeWhileWaiting(queue: string): Promise<string> {
  const mp = await connect()
  const wait = mp
    .queue(queue)
    .get()
    .then(String, (error: unknown) => (error as Error).name)
  await mp.close()
  const ended = await wait
  await (await connect()).queue<string>(queue).put('after the close')
  return ended
}

/** Returns while it puts and waits, both of which nobody looks after. */
export async function leaveWaiting(event: Event, items: Queue<string>): Promise<string> {
  void event.wait()
  // Where another program keeps it, that has said so by now.
  await items.size()
  void items.put('on its way')
  return 'returned'
}
