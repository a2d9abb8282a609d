/** RLock: to the broker a lock, entered again by the async flow that holds it without asking. */
import type { RLock } from '../contract/lock.ts'
import type { Hold } from './hold.ts'
import { LinkedLock } from './lock.ts'

export class LinkedRLock extends LinkedLock implements RLock {
  protected override entered(): Hold | null {
    return this.inFlow()
  }

  protected override get opensFlows(): boolean {
    return true
  }
}
