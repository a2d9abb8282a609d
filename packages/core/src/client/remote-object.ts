/** What every handle has: its name, its reference, its number at the broker. */
import { type Handle, type HandleKind, type HandleRef, handleRef } from '../contract/handle.ts'
import type { WaitOptions } from '../contract/wait.ts'
import { checkFunction } from '../util/options.ts'
import { checkWait, isPoll } from '../util/wait.ts'
import type { BrokerClient } from './broker-client.ts'
import type { CallOptions } from './broker-requests.ts'
import type { Nature } from '../supervisor/boot.ts'
import type { LinkedLease } from './lease.ts'
import type { Presence } from './presence.ts'

/** A context as its handles see it. */
export interface Home {
  readonly namespace: string
  readonly nature: Nature
  /** Until it gives back what it holds. */
  readonly open: boolean
  /** @throws ClosedError if it is not open */
  readonly checkOpen: () => void
  /** @throws ScopeError for a handle of another context */
  readonly admit: (ref: HandleRef) => void
  /** @throws ClosedError when the context is closed */
  readonly client: BrokerClient
  decode(bytes: Uint8Array): unknown
  /** Of JSON text in UTF-8. */
  decodeJson(text: Uint8Array): unknown
  decodeText(json: string): unknown
  /** What its handles hold; lost when it closes. */
  readonly leases: Set<LinkedLease>
}

/** Where an object is: all that a handle is made from. */
export interface Place {
  readonly home: Home
  readonly kind: HandleKind
  readonly name: string
  /** What the broker makes it from, and what travels in its reference. */
  readonly shape: Readonly<Record<string, string | number | boolean>>
  /** Made elsewhere. */
  readonly attach: boolean
  /** See `HandleRef`. */
  readonly program?: string | undefined
}

/** No options: without prototype, as checked ones are. */
const noWait: WaitOptions = Object.freeze(Object.create(null) as object)

/** An object's kind and name, for messages. */
export function labelOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return name.startsWith('~') ? `this ${kind}` : `${kind} "${name}"`
}

/** @typeParam P what this process keeps of the object, shared by all its handles here */
export abstract class RemoteObject<P extends Presence> implements Handle {
  readonly name: string
  readonly ref: HandleRef
  readonly #home: Home
  /** For giving back, which must work when the context is closed: a grant may cross the close, a lease may outlive it. */
  protected readonly broker: BrokerClient
  protected readonly number: number
  protected readonly presence: P

  constructor(
    { home, kind, name, shape, attach, program }: Place,
    makePresence: (client: BrokerClient, number: number) => P,
  ) {
    this.name = name
    const of = program === undefined ? {} : { program }
    this.ref = { kind, name, namespace: home.namespace, scope: home.nature.scope, ...of, shape }
    Object.defineProperty(this, handleRef, { value: this.ref })
    this.#home = home
    const { client } = home
    this.broker = client
    const number = client.open(kind, name, shape, attach, program)
    this.number = number
    this.presence = client.listener(number, () => makePresence(client, number))
  }

  /** For messages. */
  get label(): string {
    return labelOf(this.ref)
  }

  protected get home(): Home {
    return this.#home
  }

  protected get client(): BrokerClient {
    return this.#home.client
  }

  /**
   * As `call`, for what may have to wait there: with options that say not to, the broker is told so and answers at once. A timer of
   * zero would only race with the answer.
   *
   * @param wait checked
   * @param what for the message of a `TimeoutError`
   */
  protected callOrPoll<T>(
    method: string,
    args: readonly unknown[],
    wait: WaitOptions,
    what: string,
    more?: CallOptions,
  ): Promise<T> {
    const poll = isPoll(wait)
    return this.call<T>(method, [...args, poll], {
      ...more,
      wait: poll ? { signal: wait.signal } : wait,
      what,
      owner: this.#home,
    })
  }

  /** Calls `told` once when the object is gone. */
  whenGone(told: () => void): void {
    this.presence.whenGone(told)
  }

  async destroy(): Promise<void> {
    if (this.there) await this.client.call(this.number, 'destroy')
  }

  /** As `destroy`, by its context, which takes no other calls by then. */
  async end(): Promise<void> {
    if (this.there) await this.broker.call(this.number, 'destroy')
  }

  /** Whether there is something to destroy, as far as is known here. */
  protected get there(): boolean {
    return this.presence.gone === null
  }

  /** @throws ClosedError after the context was closed; ArgumentError on wait options that are none */
  protected checked(wait?: WaitOptions): WaitOptions {
    void this.client
    return wait === undefined ? noWait : checkWait(wait)
  }

  /** Before anything is asked for that it would run under. @throws ArgumentError unless it is a function */
  protected checkBody(body: unknown): void {
    if (typeof body !== 'function') checkFunction(body, `${this.label}: the body`)
  }

  /** Asks the broker about this object. */
  protected call<T>(method: string, args?: readonly unknown[], options?: CallOptions): Promise<T> {
    // Not an async function, here and below: it would answer three turns of the microtask queue later.
    try {
      return this.#there().call<T>(this.number, method, args, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** As `call`, in a frame of the noun's own. @param send it, under that number */
  protected request<T>(send: (request: number) => void, options?: CallOptions): Promise<T> {
    try {
      return this.#there().request<T>(send, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** @throws ClosedError after the context was closed; what the object has ended with */
  #there(): BrokerClient {
    const { client, presence } = this
    if (presence.gone !== null) throw presence.gone
    return client
  }
}
