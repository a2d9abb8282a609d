/** Latch, as a process has it: a count at the broker. */
import type { Latch } from '../contract/latch.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { checkInteger } from '../util/options.ts'
import { timedOut } from '../util/wait.ts'
import { Presence } from './presence.ts'
import { type Place, RemoteObject } from './remote-object.ts'

export class LinkedLatch extends RemoteObject<Presence> implements Latch {
  constructor(place: Place) {
    super(place, () => new Presence())
  }

  async countDown(n = 1): Promise<number> {
    checkInteger(n, { min: 1, what: 'latch.countDown(): n' })
    return this.call<number>('countDown', [n])
  }

  count(): Promise<number> {
    return this.call<number>('count')
  }

  async wait(wait?: WaitOptions): Promise<void> {
    const own = this.checked(wait)
    const what = `${this.label} was not counted down`
    if (!(await this.callOrPoll<boolean>('wait', [], own, what))) throw timedOut(what, own)
  }
}
