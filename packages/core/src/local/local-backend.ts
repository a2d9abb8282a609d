/** The nouns of the local adapter: their state is in the memory of the supervisor thread. Only wiring. */
import type { Backend } from '../supervisor/backend.ts'
import { BarrierObject } from './barrier.ts'
import { Counter } from './counter.ts'
import { LatchObject } from './latch.ts'
import { ConditionObject, type ConditionSpec } from './condition.ts'
import { EventObject } from './event.ts'
import { Permits, type PermitsSpec } from './permits.ts'
import { PipeObject } from './pipe.ts'
import { Cells } from './cells.ts'
import { Items } from './items.ts'
import { QueueObject } from './queue.ts'
import { SharedObject } from './shared.ts'
import { TopicObject } from './topic.ts'

export const localBackend: Backend = {
  kinds: (broker) => ({
    lock: (name, spec) => new Permits('lock', name, spec),
    rlock: (name, spec) => new Permits('rlock', name, spec),
    election: (name, spec) => new Permits('election', name, spec),
    // Either one, or the lock of one that has its own.
    condition: (name, spec: ConditionSpec | PermitsSpec) =>
      'of' in spec
        ? new ConditionObject(name, spec, () => {
            const lock = broker.find(spec.lock, spec.of)
            return lock instanceof Permits ? lock : null
          })
        : new Permits('condition', name, spec),
    rwlock: (name, spec) => new Permits('rwlock', name, spec),
    semaphore: (name, spec: PermitsSpec) =>
      spec.owned === false ? new Counter(name, spec) : new Permits('semaphore', name, spec),
    barrier: (name, spec) => new BarrierObject(name, spec),
    event: (name) => new EventObject(name),
    latch: (name, spec) => new LatchObject(name, spec),
    queue: (name, spec) => new QueueObject(name, spec),
    value: (name, spec) => new SharedObject('value', name, spec, new Cells()),
    dict: (name, spec) => new SharedObject('dict', name, spec, new Cells()),
    list: (name, spec) => new SharedObject('list', name, spec, new Items()),
    array: (name, spec) => new SharedObject('array', name, spec, new Cells()),
    topic: (name) => new TopicObject(name),
    pipe: (name) => new PipeObject(name, (queue) => broker.add(queue)),
  }),
}
