/** Tells who asks what all objects look like. */
import type { ObjectSnapshot } from '../../contract/snapshot.ts'
import { BrokerObject, type Methods } from './broker-object.ts'

export class Inspector extends BrokerObject {
  readonly #look: () => Promise<readonly ObjectSnapshot[]>

  constructor(name: string, look: () => Promise<readonly ObjectSnapshot[]>) {
    super('inspector', name)
    this.#look = look
  }

  protected override readonly methods: Methods = {
    look: (call) => {
      this.#look().then(
        (objects) => call.ok(objects.toSorted(byKindAndName)),
        (error: unknown) => call.fail(error as Error),
      )
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

function byKindAndName(one: ObjectSnapshot, other: ObjectSnapshot): number {
  return compare(one.kind, other.kind) || compare(one.name, other.name)
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
