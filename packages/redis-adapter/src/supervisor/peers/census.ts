/** Which processes run in all programs of a namespace, and which of those run more for others: each program is asked for its own. */
import type { HostInfo, ProcessInfo } from '@skein/core'
import { type Broker, type BrokerClient, BrokerObject, type Methods } from '@skein/core/adapter'
import type { Other, Peers } from './peers.ts'

/** Milliseconds that a program has to answer. One that is stopped never does. */
const PATIENCE = 2_000

/** Its name in every program. */
const OWN = 'own'

/** How far a program is with what it runs for others. */
export type Load = Pick<HostInfo, 'busy' | 'state'>

/** With the time on its clock, in ms. */
type LoadNow = Load & { readonly clock: number }

/** Tells other programs which processes this one has, and how many more it may take. */
export class Roll extends BrokerObject {
  readonly #broker: Broker
  readonly #load: () => Load

  constructor(broker: Broker, load: () => Load) {
    super('roll', OWN)
    this.#broker = broker
    this.#load = load
  }

  protected override readonly methods: Methods = {
    processes: (call) => call.ok(this.#broker.processes()),
    load: (call) => call.ok({ ...this.#load(), clock: Date.now() } satisfies LoadNow),
  }

  override check(): void {
    // There is one per program.
  }

  override leave(): void {
    // It holds nothing.
  }

  override end(): void {
    // Nobody waits on it.
  }
}

export async function census(broker: Broker, peers: Peers): Promise<ProcessInfo[]> {
  const others = await peers.others()
  const elsewhere = await Promise.all(others.map(processesOf))
  return [...broker.processes(), ...elsewhere.flat()]
}

/** All that serve but this one. */
export async function hostsElsewhere(peers: Peers): Promise<HostInfo[]> {
  const others = await peers.others()
  return Promise.all(others.flatMap((one) => (one.serve === null ? [] : [hostOf(one, one.serve)])))
}

async function processesOf(other: Other): Promise<ProcessInfo[]> {
  const told = typeof other.client === 'string' ? null : await ask<ProcessInfo[]>(other.client, 'processes')
  return told ?? [mainOf(other)]
}

async function hostOf(other: Other, offer: NonNullable<Other['serve']>): Promise<HostInfo> {
  const { program, host, pid, version, protocol, client } = other
  const known = { program, host, pid, version, protocol, ...offer }
  const asked = Date.now()
  const told = typeof client === 'string' ? null : await ask<LoadNow>(client, 'load')
  if (told === null) return { ...known, busy: null, skew: null, state: typeof client === 'string' ? client : 'silent' }
  const { clock, busy, state } = told
  // It was asked for half of the way (D. L. Mills, RFC 5905, section 8).
  return { ...known, busy, skew: Math.round(clock - (asked + Date.now()) / 2), state }
}

/** `null`: it is there for all that is known, and says nothing: stopped, or about to be declared dead. */
async function ask<T>(client: BrokerClient, method: string): Promise<T | null> {
  const number = client.open('roll', OWN, null, true)
  try {
    return await client.call<T>(number, method, [], { wait: { timeout: PATIENCE }, what: 'the program did not answer' })
  } catch {
    return null
  }
}

/** What is known of a program that is not asked. */
function mainOf({ program, pid, host }: Other): ProcessInfo {
  return { id: program, name: 'main', pid, host, role: 'main', daemon: false, detached: false, parent: null, program }
}
