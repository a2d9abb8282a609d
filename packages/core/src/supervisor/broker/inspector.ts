/** Tells who asks what all objects look like, which processes run, and where more could. */
import type { HostInfo } from '../../contract/host.ts'
import type { ProcessInfo } from '../../contract/process.ts'
import type { ObjectSnapshot } from '../../contract/snapshot.ts'
import { BrokerObject, type Methods } from './broker-object.ts'
import type { Call } from './session.ts'

/** What is known of all programs of the namespace. */
export interface Survey {
  readonly look: () => Promise<readonly ObjectSnapshot[]>
  readonly processes: () => Promise<readonly ProcessInfo[]>
  readonly hosts: () => Promise<readonly HostInfo[]>
}

export class Inspector extends BrokerObject {
  readonly #survey: Survey

  constructor(name: string, survey: Survey) {
    super('inspector', name)
    this.#survey = survey
  }

  protected override readonly methods: Methods = {
    look: (call) => {
      void tell(call, async () => (await this.#survey.look()).toSorted(by((one) => `${one.kind} ${one.name}`)))
    },
    processes: (call) => {
      void tell(call, async () => (await this.#survey.processes()).toSorted(by((one) => `${one.program} ${one.id}`)))
    },
    hosts: (call) => {
      void tell(call, async () => (await this.#survey.hosts()).toSorted(by((one) => `${one.host} ${one.program}`)))
    },
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

async function tell(call: Call, look: () => Promise<unknown>): Promise<void> {
  try {
    call.ok(await look())
  } catch (error) {
    call.fail(error as Error)
  }
}

function by<T>(key: (one: T) => string): (one: T, other: T) => number {
  return (one, other) => (key(one) < key(other) ? -1 : Number(key(one) > key(other)))
}
