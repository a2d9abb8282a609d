/** How a reference becomes a handle again. */
import type { Handle, HandleKind } from '../contract/handle.ts'
import { LinkedBarrier } from './barrier.ts'
import { LinkedCondition } from './condition.ts'
import { LinkedCounter } from './counter.ts'
import { LinkedArray } from './array.ts'
import { LinkedDict } from './dict.ts'
import { LinkedList } from './list.ts'
import { LinkedElection } from './election.ts'
import { LinkedEvent } from './event.ts'
import { LinkedJoinableQueue } from './joinable-queue.ts'
import { LinkedLatch } from './latch.ts'
import { LinkedLock } from './lock.ts'
import { LinkedConnection } from './pipe.ts'
import { LinkedProcess } from './process.ts'
import { LinkedQueue } from './queue.ts'
import { LinkedRLock } from './rlock.ts'
import { LinkedRWLock } from './rwlock.ts'
import { LinkedBoundedSemaphore, LinkedSemaphore } from './semaphore.ts'
import { LinkedTopic } from './topic.ts'
import { LinkedValue } from './value.ts'
import type { Place } from './remote-object.ts'

export function semaphoreAt(place: Place): LinkedSemaphore | LinkedCounter {
  if (place.shape['owned'] === false) return new LinkedCounter(place)
  const permits = Number(place.shape['permits'])
  return place.shape['bounded'] === true
    ? new LinkedBoundedSemaphore(place, permits)
    : new LinkedSemaphore(place, permits)
}

export function conditionAt(place: Place): LinkedCondition {
  const { lock, of, program } = place.shape
  const under = { ...place, name: String(of), shape: { permits: 1 } }
  if (lock !== 'lock' && lock !== 'rlock') return new LinkedCondition(place, new LinkedRLock(under))
  // One that was given is there already, whoever made it.
  const given: Place = {
    ...under,
    kind: lock,
    attach: true,
    program: program === undefined ? program : String(program),
  }
  return new LinkedCondition(place, lock === 'lock' ? new LinkedLock(given) : new LinkedRLock(given))
}

/** By kind. */
export const attachers: Readonly<Record<HandleKind, (place: Place) => Handle>> = {
  lock: (place) => new LinkedLock(place),
  rlock: (place) => new LinkedRLock(place),
  condition: conditionAt,
  election: (place) => new LinkedElection(place),
  rwlock: (place) => LinkedRWLock.attach(place),
  semaphore: semaphoreAt,
  barrier: (place) => new LinkedBarrier(place),
  event: (place) => new LinkedEvent(place),
  latch: (place) => new LinkedLatch(place),
  queue: (place) => (place.shape['joinable'] === true ? new LinkedJoinableQueue(place) : new LinkedQueue(place)),
  pipe: (place) => new LinkedConnection(place),
  process: (place) => new LinkedProcess(place, null),
  value: (place) => new LinkedValue(place, null),
  dict: (place) => new LinkedDict(place, null),
  list: (place) => new LinkedList(place, null),
  array: (place) => new LinkedArray(place, null),
  topic: (place) => new LinkedTopic(place),
}
