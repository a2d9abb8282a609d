/**
 * All children of a program, at any depth: the supervisor starts every one of them, so it knows the tree, and a process that
 * dies takes those it started along.
 */
import { hostname } from 'node:os'
import type { ChildOptions } from '../contract/adapter.ts'
import type { Nature, ProcessInfo, Role, Surroundings } from './boot.ts'
import { Child, type ChildEvents } from './child.ts'
import type { EncodedExit } from './exit-status.ts'
import type { FifoStock } from './fifo-stock.ts'
import { DeathReport, KernelKills } from './memory-watch.ts'
import { Reaper } from './reaper.ts'
import type { TargetPolicy } from '../target/index.ts'
import type { SlotHandle } from '../wire/tenure-slot.ts'

export interface StartSpec {
  readonly id: string
  readonly name: string
  readonly daemon: boolean
  readonly namespace: string
  readonly nature: Nature
  readonly parent: ProcessInfo
  readonly role: Role
  readonly surroundings: Surroundings
  readonly options: ChildOptions
  /** Which program keeps its record, by the id of its main process; default: this one. */
  readonly keeper?: string
  /** It descends from what runs here for another program; default: if its parent does. */
  readonly lodged?: boolean
  /** What it may run; `null`, and default: whatever Node finds. */
  readonly policy?: TargetPolicy | null
  /** How many numbers earlier runs under this id may have used for what they made; default 0. */
  readonly serial?: number
  /** It loads and runs nothing before `Child.go()`; default: at once. */
  readonly held?: boolean
}

export interface StartEvents extends Pick<ChildEvents, 'loaded' | 'ended'> {
  /** The child runs; its link's frames go to the returned receiver. */
  started(child: Child, info: ProcessInfo): ChildEvents['frame']
  /** This program ends and the child goes on: nothing more will be heard of it. */
  left(): void
}

interface Entry {
  readonly child: Child
  readonly parent: string
  readonly detached: boolean
  readonly policy: TargetPolicy | null
  readonly lodged: boolean
  readonly left: () => void
  readonly stdio: ChildOptions['stdio']
  readonly output: ChildEvents['output']
}

export class Children {
  readonly #entries = new Map<string, Entry>()
  readonly #stock: FifoStock
  readonly #program: string
  readonly #reaper = new Reaper()
  readonly #kills = new KernelKills()
  readonly #idle = new Set<() => void>()
  #stopping = false

  /**
   * @param stock pipes for the children, closed with `stop`
   * @param program whose they are: the id of its main process
   */
  constructor(stock: FifoStock, program: string) {
    this.#stock = stock
    this.#program = program
  }

  /** @param slot of the child's tenure, if it has one */
  start(spec: StartSpec, events: StartEvents, slot: SlotHandle | null = null): void {
    const { id, name, daemon, namespace, nature, parent, role, serial = 0, held = false } = spec
    const { detached } = spec.options
    const info = (pid: number): ProcessInfo => ({ id, name, pid, host: hostname() })
    // What is inherited is the creator's, also where that is read by somebody.
    const above = spec.options.stdio === 'inherit' ? this.#entries.get(parent.id) : undefined
    const { policy = null, keeper = this.#program } = spec
    const lodged = spec.lodged === true || keeper !== this.#program
    const stdio = above?.stdio ?? spec.options.stdio
    const boot: ConstructorParameters<typeof Child>[0] = (pid, at) => ({
      process: info(pid),
      program: this.#program,
      daemon,
      parent,
      namespace,
      nature,
      role,
      ...at,
      piped: stdio === 'pipe',
      detached,
      policy,
      held,
      serial,
    })
    let frame: ChildEvents['frame'] = () => undefined
    const output = above?.output ?? ((one) => frame(one))
    const child = new Child(
      boot,
      {
        surroundings: spec.surroundings,
        options: { ...spec.options, stdio },
        shared: above?.child.output ?? null,
      },
      { pipe: this.#stock.take(), slot, report: DeathReport.open() },
      this.#kills,
      {
        frame: (one) => frame(one),
        output,
        loaded: () => events.loaded(),
        ended: (exit) => {
          this.#ended(id, child)
          events.ended(exit)
        },
      },
    )
    const left = (): void => events.left()
    this.#entries.set(id, { child, parent: parent.id, detached, policy, lodged, left, stdio, output })
    if (child.pid === undefined) return
    if (!detached) this.#reaper.watch(child.pid)
    frame = events.started(child, info(child.pid))
    // Too late to leave it in good order.
    if (this.#stopping) child.kill()
  }

  /** What that child may run, and so whatever it starts. */
  policyOf(id: string): TargetPolicy | null {
    return this.#entries.get(id)?.policy ?? null
  }

  /** Whether that child runs here for another program, and so whatever it starts. */
  lodges(id: string): boolean {
    return this.#entries.get(id)?.lodged === true
  }

  /** Ends everything but what is detached, first politely. Resolves when nothing else runs any more. */
  async stop(grace: number): Promise<void> {
    this.#stopping = true
    for (const { child, detached } of this.#entries.values()) if (!detached) child.terminate(grace)
    if (!this.#nothingRuns) await new Promise<void>((resolve) => this.#idle.add(resolve))
    for (const { child, left } of this.#entries.values()) {
      child.leave()
      left()
    }
    await Promise.all([this.#reaper.close(), this.#stock.close()])
  }

  kill(): void {
    for (const { child, detached } of this.#entries.values()) if (!detached) child.kill()
  }

  get #nothingRuns(): boolean {
    return ![...this.#entries.values()].some(({ detached }) => !detached)
  }

  #ended(id: string, child: Child): void {
    if (child.pid !== undefined) this.#reaper.forget(child.pid)
    this.#entries.delete(id)
    for (const entry of this.#entries.values()) if (entry.parent === id && !entry.detached) entry.child.kill()
    if (!this.#nothingRuns) return
    for (const resolve of this.#idle) resolve()
    this.#idle.clear()
  }
}

export type { Child, EncodedExit }
