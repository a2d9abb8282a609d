/** Programs that run processes for others. */

/** What a host says of itself, or what a start asks of its host: `{ gpu: 'yes' }`. */
export type Labels = Readonly<Record<string, string>>

/** A program that serves: `connect(…, { serve })`. On one machine, the program itself. */
export interface HostInfo {
  /** The id of its main process. */
  readonly program: string
  /** The name of its machine. */
  readonly host: string
  readonly pid: number
  /** The version of Skein that it runs. */
  readonly version: string
  /** What it speaks with other programs. Only those of one protocol do anything for each other, whatever their versions. */
  readonly protocol: number
  /** How many processes of others it runs at once; `Infinity`: any number. */
  readonly slots: number
  /** How many it runs now; `null`: it does not answer. */
  readonly busy: number | null
  readonly labels: Labels
  /** Milliseconds that its clock is ahead of this program's, negative if it is behind; as exact as it answers quickly. `null`: it does not answer. */
  readonly skew: number | null
  /**
   * - `serving`: it takes work · `draining`: it ends what it runs, and takes nothing more · `silent`: it does not answer, and is not declared dead yet
   * - `foreign`: it has another secret than this program, or one of the two has none, so neither does anything for the other
   * - `incompatible`: nor do these two, since it speaks another protocol
   */
  readonly state: 'serving' | 'draining' | 'silent' | 'foreign' | 'incompatible'
}
