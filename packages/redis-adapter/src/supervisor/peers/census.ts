/** Which processes run in all programs of a namespace: each program is asked for its own. */
import type { ProcessInfo } from '@skein/core'
import { type Broker, BrokerObject, type Methods } from '@skein/core/adapter'
import type { Other, Peers } from './peers.ts'

/** Milliseconds that a program has to answer. One that is stopped never does. */
const PATIENCE = 2_000

/** Its name in every program. */
const OWN = 'own'

/** Tells other programs which processes this one has. */
export class Roll extends BrokerObject {
  readonly #broker: Broker

  constructor(broker: Broker) {
    super('roll', OWN)
    this.#broker = broker
  }

  protected override readonly methods: Methods = {
    processes: (call) => call.ok(this.#broker.processes()),
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

async function processesOf(other: Other): Promise<ProcessInfo[]> {
  const { client } = other
  if (client === null) return [mainOf(other)]
  const number = client.open('roll', OWN, null, true)
  try {
    const wait = { timeout: PATIENCE }
    return await client.call<ProcessInfo[]>(number, 'processes', [], { wait, what: 'the program did not answer' })
  } catch {
    // It is there for all that is known, and says nothing: stopped, or about to be declared dead.
    return [mainOf(other)]
  }
}

/** What is known of a program that is not asked. */
function mainOf({ program, pid, host }: Other): ProcessInfo {
  return { id: program, name: 'main', pid, host, role: 'main', daemon: false, detached: false, parent: null, program }
}
