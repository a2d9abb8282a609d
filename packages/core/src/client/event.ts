/** Event, as a process has it: a flag at the broker. */
import type { Event } from '../contract/event.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { timedOut } from '../util/wait.ts'
import { Presence } from './presence.ts'
import { type Place, RemoteObject } from './remote-object.ts'

export class LinkedEvent extends RemoteObject<Presence> implements Event {
  constructor(place: Place) {
    super(place, () => new Presence())
  }

  set(): Promise<void> {
    return this.call('set')
  }

  clear(): Promise<void> {
    return this.call('clear')
  }

  isSet(): Promise<boolean> {
    return this.call<boolean>('isSet')
  }

  async wait(wait?: WaitOptions): Promise<void> {
    const own = this.checked(wait)
    const what = `${this.label} was not set`
    if (!(await this.callOrPoll<boolean>('wait', [], own, what))) throw timedOut(what, own)
  }
}
