/** Election, as a process has it: a lock under a name and a kind of its own, held by who leads. */
import type { Election } from '../contract/election.ts'
import type { HolderInfo, Lease } from '../contract/lock.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { LinkedLock } from './lock.ts'

export class LinkedElection extends LinkedLock implements Election {
  run<R>(body: (lease: Lease) => R | PromiseLike<R>, wait?: WaitOptions): Promise<R> {
    return this.with(body, wait)
  }

  leader(): Promise<HolderInfo | null> {
    return this.holder()
  }
}
