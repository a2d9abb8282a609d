/** An event in Redis. Who waits for it disturbs nobody, so a process that is stopped waits on. */
import type { Methods, Session } from '@skein/core/adapter'
import { RedisState } from './redis-state.ts'
import type { Surround } from './surround.ts'

export class RedisEvent extends RedisState {
  constructor(name: string, around: Surround, creator: Session | null = null) {
    super('event', name, { script: 'event', shape: '-' }, around, creator)
  }

  protected override readonly methods: Methods = {
    set: (call) => this.tell(call, 'set'),
    clear: (call) => this.tell(call, 'clear'),
    isSet: (call) => this.read(call, 'isSet', (text) => text === '1'),
    wait: (call) => this.wait(call, 'wait', { poll: call.args[0] === true, answer: () => true, none: false }),
  }

  override check(): void {
    // An event has no shape to disagree on.
  }
}
