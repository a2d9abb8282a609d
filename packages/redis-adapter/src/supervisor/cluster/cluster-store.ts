/**
 * A cluster as one store: each script goes to the master that has its keys, over one connection for each master with all that `Scripts` does there:
 * order, sending again, the gate. The gate of a master opens when the session's heartbeat has told the namespace which master this is: one that
 * nobody has met before may have forgotten what was granted, and counts for all as a server that has (decision 36).
 */
import { ClosedError, ConnectionError } from '@skein/core'
import { reportDefect } from '@skein/core/adapter'
import type { Redis } from 'ioredis'
import type { Server } from '../../options.ts'
import { failureOf, type Mask, Moved } from '../failure.ts'
import { COMMAND_DEADLINE } from '../settings.ts'
import type { GatedStore, Met, Part, Script, ScriptArgument, ScriptOptions } from '../surround.ts'
import { answered } from '../connections.ts'
import type { Master } from './master.ts'
import { type Address, readSlots, type SlotMap, slotOf, tagOfKey } from './slots.ts'

/** How often it is looked who is who, in ms; and how long a call waits that was sent to the wrong one again. */
const LOOK = 1_000
const PAUSE = 50

export interface ClusterOptions {
  /** Masters that were reached and looked at, in no order. */
  readonly masters: readonly Master[]
  readonly slots: SlotMap
  /** For a master that comes later; not connected yet. */
  readonly make: (address: Address) => Master
  /** A key of what the session's scripts change. */
  readonly home: string
  readonly where: string
  readonly mask: Mask
}

export class ClusterStore implements GatedStore {
  readonly masters: readonly Redis[] = []
  readonly #options: ClusterOptions
  readonly #byName = new Map<string, Master>()
  /** Each makes its script known to a master; objects without number use the same few. */
  readonly #scripts = new Map<string, (master: Master) => unknown>()
  readonly #connected = new Set<() => void>()
  readonly #lost = new Set<() => void>()
  readonly #ready = new Set<() => void>()
  readonly #moved = new Set<() => void>()
  readonly #timer: NodeJS.Timeout
  #slots: SlotMap
  #home: Master
  #looking: Promise<void> | null = null
  #closed = false

  constructor(options: ClusterOptions) {
    this.#options = options
    this.#slots = options.slots
    for (const master of options.masters) this.#add(master)
    this.#home = this.#of(options.home)
    this.#timer = setInterval(() => {
      // One may have been a replica for a moment.
      for (const master of this.#all) void master.meet()
      if (this.#all.some(({ life }) => life === null)) void this.#look()
    }, LOOK)
    this.#timer.unref()
  }

  get state(): 'connected' | 'suspended' {
    return this.#all.every(({ scripts }) => scripts.state === 'connected') ? 'connected' : 'suspended'
  }

  get up(): boolean {
    return this.#home.scripts.up
  }

  get parts(): readonly Part[] {
    return this.#all.map(({ scripts }) => scripts)
  }

  /** Where the sessions are kept now. */
  get home(): Server {
    return this.#home.server
  }

  partOf(key: string): Part {
    return this.#of(key).scripts
  }

  script<A extends readonly ScriptArgument[], R>(name: string, options: ScriptOptions = {}): Script<A, R> {
    return this.#script(name, options, ({ scripts }) => scripts.script<A, R>(name, options))
  }

  urgent<A extends readonly ScriptArgument[], R>(name: string, options: ScriptOptions = {}): Script<A, R> {
    return this.#script(name, options, ({ scripts }) => scripts.urgent<A, R>(name, options))
  }

  onConnected(told: () => void): () => void {
    return listen(this.#connected, told)
  }

  onLost(told: () => void): () => void {
    return listen(this.#lost, told)
  }

  onReady(told: () => void): () => void {
    return listen(this.#ready, told)
  }

  /** Told when the sessions are kept by another master from now on. */
  onHomeMoved(told: () => void): () => void {
    return listen(this.#moved, told)
  }

  renew(): void {
    this.#home.scripts.renew()
  }

  met(): Met {
    return this.#all.flatMap(({ life }) => life ?? [])
  }

  resume(met: Met): void {
    for (const { life, scripts } of this.#all) if (life !== null && met.includes(life)) scripts.resume()
  }

  closeGate(): void {
    for (const { scripts } of this.#all) scripts.closeGate()
  }

  openGate(met: Met): void {
    for (const { life, scripts } of this.#all) {
      if (life !== null && met.includes(life)) scripts.openGate()
      else scripts.forget()
    }
  }

  tellConnected(): void {
    for (const told of this.#connected) told()
  }

  failure(error: unknown): Error {
    return failureOf(error, this.#options.where, this.#options.mask)
  }

  async idle(patience: number): Promise<void> {
    await Promise.all(this.#all.map(({ scripts }) => scripts.idle(patience)))
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    for (const master of this.#all) master.close()
  }

  get #all(): readonly Master[] {
    return [...this.#byName.values()]
  }

  #of(key: string): Master {
    const address = this.#slots[slotOf(key)]
    const master = address === undefined ? undefined : this.#byName.get(nameOf(address))
    // A slot that nobody has is one that somebody has had, and may have again.
    return master ?? this.#home
  }

  #add(master: Master): void {
    this.#byName.set(nameOf(master.server), master)
    for (const load of this.#scripts.values()) load(master)
    master.scripts.onConnected(() => this.tellConnected())
    master.scripts.onLost(() => {
      for (const told of this.#lost) told()
    })
    master.onMet(() => {
      for (const told of this.#ready) told()
    })
  }

  #script<A extends readonly ScriptArgument[], R>(
    name: string,
    options: ScriptOptions,
    of: (master: Master) => Script<A, R>,
  ): Script<A, R> {
    const known = new Map<Master, Script<A, R>>()
    const at = (master: Master): Script<A, R> => {
      let script = known.get(master)
      if (script === undefined) known.set(master, (script = of(master)))
      return script
    }
    // Known to all of them ahead of the first use, see `ScriptLibrary`.
    for (const master of this.#all) at(master)
    this.#scripts.set(JSON.stringify([name, options]), of)
    return { call: (keys, args, { deadline = COMMAND_DEADLINE } = {}) => this.#call(at, keys, args, deadline) }
  }

  async #call<A extends readonly ScriptArgument[], R>(
    at: (master: Master) => Script<A, R>,
    keys: readonly string[],
    args: A,
    deadline: number,
  ): Promise<R> {
    const [first = ''] = keys
    const tag = tagOfKey(first)
    if (first === '' || keys.some((key) => tagOfKey(key) !== tag)) {
      throw new Error(`keys of one call must have one hash tag, got ${keys.join(' ')}`)
    }
    const due = performance.now() + deadline
    let mayHaveRun = false
    for (let tries = 0; ; tries += 1) {
      if (this.#closed) throw new ClosedError('the context is closed; connect() again')
      try {
        return await at(this.#of(first)).call(keys, args, {
          deadline: Math.max(1, Math.round(due - performance.now())),
        })
      } catch (error) {
        if (mayHaveRun && error instanceof ConnectionError && !error.indeterminate) {
          throw new ConnectionError(error.message, { cause: error.cause, retryable: true, indeterminate: true })
        }
        if (!(error instanceof Moved)) throw error
        mayHaveRun ||= error.mayHaveRun
      }
      if (performance.now() > due) {
        const told = `the cluster of Redis at ${this.#options.where} did not say within ${deadline} ms who has ${first}`
        throw new ConnectionError(told, { retryable: true, indeterminate: mayHaveRun })
      }
      // Calls that wait here for the same go on in the order in which they came.
      if (tries > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE))
      await this.#look()
    }
  }

  /** Who has what now; asked of whoever answers. */
  #look(): Promise<void> {
    this.#looking ??= this.#read()
      .catch((error: unknown) => reportDefect('the slots of a cluster', error))
      .finally(() => (this.#looking = null))
    return this.#looking
  }

  async #read(): Promise<void> {
    for (const { client, server } of this.#all) {
      if (client.status !== 'ready') continue
      let slots: SlotMap
      try {
        slots = await answered(client, readSlots(client, server))
      } catch {
        // The next one may know; if none does, the next look.
        continue
      }
      if (!this.#closed) this.#take(slots)
      return
    }
  }

  #take(slots: SlotMap): void {
    const before = this.#slots
    this.#slots = slots.map((address, slot) => address ?? before[slot])
    const named = new Map(this.#slots.flatMap((address) => (address === undefined ? [] : [[nameOf(address), address]])))
    for (const [name, address] of named) if (!this.#byName.has(name)) this.#add(this.#options.make(address))
    const home = this.#of(this.#options.home)
    const moved = home !== this.#home
    this.#home = home
    for (const [name, master] of this.#byName) {
      if (named.has(name)) continue
      this.#byName.delete(name)
      master.leave()
    }
    if (!moved) return
    for (const told of this.#moved) told()
  }
}

function listen(to: Set<() => void>, told: () => void): () => void {
  to.add(told)
  return () => to.delete(told)
}

export function nameOf({ host, port }: Address): string {
  return `${host}:${port}`
}
