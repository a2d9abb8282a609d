/** What the main program can ask of the supervisor as a whole. */
import { StateError } from '../../errors.ts'
import { BrokerObject, type Methods } from './broker-object.ts'
import type { Session } from './session.ts'

export interface Stopping {
  /** Whether that process runs here for another program, or was started by one that does. */
  lodges(process: string): boolean
  /** Ends all children: SIGTERM, and after `grace` ms SIGKILL. */
  stop(grace: number): Promise<void>
  /** Ends all children at once. */
  kill(): void
  /** Takes no more work of others; resolves when none of it runs here. */
  drain(): Promise<void>
}

export class SessionObject extends BrokerObject {
  readonly #stopping: Stopping

  constructor(name: string, stopping: Stopping) {
    super('session', name)
    this.#stopping = stopping
  }

  protected override readonly methods: Methods = {
    stop: (call) => {
      const [grace] = call.args as [number]
      void this.#stopping.stop(grace).then(() => call.ok())
    },
    drain: (call) => {
      if (this.#stopping.lodges(call.session.process.id)) {
        call.fail(
          new StateError(
            'drain(): this process runs on its host for another program, and whether that takes more is for the host to say; call it there',
          ),
        )
        return
      }
      void this.#stopping.drain().then(() => call.ok())
      call.waits(() => undefined)
    },
  }

  override post(_session: Session, _object: number, method: string, args: readonly unknown[]): void {
    if (method === 'stop') void this.#stopping.stop(args[0] as number)
    else if (method === 'kill') this.#stopping.kill()
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
