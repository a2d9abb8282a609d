/** What a package with an adapter exports for `connect()`. */
import type { Adapter } from './adapter.ts'
import type { Labels } from './host.ts'

/** The options of `connect()`, checked, with their defaults. */
export interface ConnectSettings {
  readonly namespace: string
  /** Milliseconds of silence after which a program counts as dead. */
  readonly sessionTtl: number
  /** Milliseconds that a process may be silent without being stopped. */
  readonly stallLimit: number
  /** Milliseconds that waiting calls survive a lost connection; `Infinity`: as long as it takes. */
  readonly outage: number
  /** How many replicas must have what is granted before it counts. */
  readonly replicas: number
  /** How it takes the work of others, too; `false`: runs nothing here; `null`: runs what this program starts. */
  readonly serve: ServeSettings | false | null
  /** Which of these were asked for; the others are defaults, and give way to what another context of the process has asked for. */
  readonly given: readonly SettingName[]
}

export interface ServeSettings {
  /** `Infinity`: any number. */
  readonly slots: number
  readonly labels: Labels
  /** Absolute. */
  readonly root: string
  /** Globs of paths from the root. */
  readonly allow: readonly string[]
  /** Names of variables. */
  readonly env: readonly string[]
  readonly unsigned: boolean
}

export type SettingName = 'namespace' | 'sessionTtl' | 'stallLimit' | 'outage' | 'replicas' | 'serve'

export interface OpenOptions extends ConnectSettings {
  /** Names what was asked for: a digest of the urls without their secrets. */
  readonly place: string
  /** The urls came in an array: locks are taken on a majority of them, also where it has one. */
  readonly quorum: boolean
  /** See `StoreParts`; `null` where there are only urls. */
  readonly details: unknown
}

export interface AdapterModule {
  /** @param urls one or more; with their secrets, which no message may show */
  open(urls: readonly string[], options: OpenOptions): Promise<Adapter>
}
