/** The local adapter: one method per noun, as handles on the broker of this program. Only wiring. */
import { decode } from '../codec/index.ts'
import type { Adapter, Named, PipeSpec, ProcessSpec, QueueSpec, SemaphoreSpec } from '../contract/adapter.ts'
import type { Handle, HandleKind, HandleRef } from '../contract/handle.ts'
import type { Lock, RLock } from '../contract/lock.ts'
import type { Connection } from '../contract/pipe.ts'
import type { Process } from '../contract/process.ts'
import type { Queue } from '../contract/queue.ts'
import type { Semaphore } from '../contract/semaphore.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { ClosedError, ScopeError } from '../errors.ts'
import { encode } from '../codec/index.ts'
import type { Fleet, FleetEvents, FleetSpec } from '../contract/fleet.ts'
import { waitFor } from '../util/wait.ts'
import type { BrokerClient } from './broker-client.ts'
import { LocalFleet } from './local-fleet.ts'
import { LocalLock } from './local-lock.ts'
import type { LocalLease } from './local-lease.ts'
import { type Home, LOCAL, type LocalObject, type Place } from './local-object.ts'
import { LocalConnection } from './local-pipe.ts'
import { LocalProcess } from './local-process.ts'
import { LocalQueue } from './local-queue.ts'
import { LocalRLock } from './local-rlock.ts'
import { LocalSemaphore } from './local-semaphore.ts'
import type { Presence } from './presence.ts'

/** What an adapter stands on: the way to the broker, shared by all contexts of this process and namespace. */
export interface Ground {
  readonly client: BrokerClient
  readonly namespace: string
  /** The process's own id, which makes the names of its anonymous objects its own. */
  readonly processId: string
  /** Unique numbers for those names. */
  next(): number
  /** This adapter needs the broker no longer. */
  leave(): Promise<void>
}

export class LocalAdapter implements Adapter, Home {
  readonly kind = 'local'
  readonly #ground: Ground
  readonly #anonymous = new Map<string, Handle>()
  readonly #processes = new Set<LocalProcess<unknown>>()
  readonly #fleets = new Set<LocalFleet>()
  readonly leases: Set<LocalLease> = new Set()
  #closing: Promise<void> | null = null
  #closed = false

  constructor(ground: Ground) {
    this.#ground = ground
  }

  get namespace(): string {
    return this.#ground.namespace
  }

  get state(): 'connected' | 'lost' {
    return this.lost.aborted ? 'lost' : 'connected'
  }

  get lost(): AbortSignal {
    return this.#ground.client.lost
  }

  get open(): boolean {
    return !this.#closed
  }

  get client(): BrokerClient {
    if (this.#closed) throw closed()
    return this.#ground.client
  }

  anonymousName(): string {
    return `~${this.#ground.processId}-${this.#ground.next()}`
  }

  decode(bytes: Uint8Array): unknown {
    return decode(bytes, (ref) => this.attach(ref))
  }

  lock({ name }: Named): Lock {
    return this.#own(new LocalLock(this.#place('lock', name, { permits: 1 })))
  }

  rlock({ name }: Named): RLock {
    return this.#own(new LocalRLock(this.#place('rlock', name, { permits: 1 })))
  }

  semaphore({ name, permits }: SemaphoreSpec): Semaphore {
    return this.#own(new LocalSemaphore(this.#place('semaphore', name, { permits }), permits))
  }

  queue<T>({ name, maxSize, maxDeliveries }: QueueSpec): Queue<T> {
    return this.#own(new LocalQueue<T>(this.#place('queue', name, { maxSize, maxDeliveries })))
  }

  pipe<A, B>({ name, duplex }: PipeSpec): [Connection<A, B>, Connection<B, A>] {
    return [
      this.#own(new LocalConnection<A, B>(this.#place('pipe', name, { duplex, end: 0 }))),
      new LocalConnection<B, A>(this.#place('pipe', name, { duplex, end: 1 })),
    ]
  }

  process<R>({ name: label, daemon, target, args }: ProcessSpec): Process<R> {
    const id = `${this.#ground.processId}.${this.#ground.next()}`
    const plan = { target: encode(target, 'target'), args }
    const process = new LocalProcess<R>(this.#place('process', id, { label, daemon }), plan)
    this.#processes.add(process)
    process.whenOver(() => this.#processes.delete(process))
    return process
  }

  fleet(spec: FleetSpec, events: FleetEvents): Fleet {
    const fleet: LocalFleet = new LocalFleet(this, this.anonymousName(), spec, events, () => this.#fleets.delete(fleet))
    this.#fleets.add(fleet)
    return fleet
  }

  attach(ref: HandleRef): Handle {
    const { kind, name, scope, namespace, shape = {} } = ref
    if (scope !== LOCAL || namespace !== this.namespace) {
      const where = scope === LOCAL ? `namespace ${namespace}` : scope
      throw new ScopeError(
        `${kind} "${name}" belongs to ${where}, not to the local namespace ${this.namespace} of this process; create it in the context that shares it`,
      )
    }
    const place: Place = { home: this, kind, name, shape, attach: true }
    return attachers[kind](place)
  }

  async close(wait?: WaitOptions): Promise<void> {
    this.#closing ??= this.#close()
    return waitFor(this.#closing, wait, 'the processes of this context had not ended')
  }

  async #close(): Promise<void> {
    const running = [...this.#processes].filter((process) => process.running)
    // What is gone already, or lost with the broker, rejects here: then there is nothing of it left to end.
    await Promise.allSettled([
      ...[...this.#fleets].map((fleet) => fleet.terminate()),
      ...running.map((process) => (process.daemon ? process.terminate() : process.join())),
    ])
    await Promise.allSettled([...this.leases].map((lease) => lease.revoke(closed())))
    // Among the processes are those that were never started.
    await Promise.allSettled([...this.#anonymous.values(), ...this.#processes].map((handle) => handle.destroy()))
    this.#closed = true
    await this.#ground.leave()
  }

  #place(kind: HandleKind, name: string, shape: Place['shape']): Place {
    return { home: this, kind, name, shape, attach: false }
  }

  /** Remembers what ends with this context. */
  #own<T extends LocalObject<Presence>>(handle: T): T {
    const { name } = handle
    if (!name.startsWith('~')) return handle
    this.#anonymous.set(name, handle)
    handle.whenGone(() => this.#anonymous.delete(name))
    return handle
  }
}

function closed(): ClosedError {
  return new ClosedError('the context is closed; connect() again')
}

/** How a reference becomes a handle again. */
const attachers: Readonly<Record<HandleKind, (place: Place) => Handle>> = {
  lock: (place) => new LocalLock(place),
  rlock: (place) => new LocalRLock(place),
  semaphore: (place) => new LocalSemaphore(place, Number(place.shape['permits'])),
  queue: (place) => new LocalQueue(place),
  pipe: (place) => new LocalConnection(place),
  process: (place) => new LocalProcess(place, null),
}
