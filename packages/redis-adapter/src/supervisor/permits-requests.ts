/** What a program keeps of each request for permits that it has made in Redis. */
import { ConflictError } from '@skein/core'
import type { Call } from '@skein/core/adapter'
import type { Patient } from './permits-patience.ts'

/** A wait in a condition: a request for its lock that may stand in that line after it was notified. */
interface Waiting {
  readonly condition: string
  /** The id of the grant that it gives back as it begins; `null`: it has begun, or was lost and stands in line for the lock. */
  held: string | null
  /** It is to leave the condition's line for that of the lock. */
  leaving: boolean
  /**
   * Where what it gives back is kept elsewhere and `held` is '': told when it stands in line, or will end as if notified, so that may be
   * given back now; `false`: Redis did not say.
   */
  readonly begun?: ((sure: boolean) => void) | undefined
}

/** It has not been settled. Its id changes when the program's session or its process's place is lost. */
export interface Ask extends Patient {
  readonly call: Call
  readonly permits: number
  readonly waiting: Waiting | null
  /** @param notified it was, in a condition */
  readonly granted: (token: number, notified: boolean) => void
  readonly failed: (error: Error) => void
  rid: string
  /** A script about it is under way. */
  asking: boolean
  /** It stood in line under this id when Redis was asked last. */
  inLine: boolean
}

/** The session that a request id belongs to. */
export function sidOf(rid: string): string {
  return rid.slice(0, rid.indexOf('/'))
}

/** The same name exists with another number of permits. 0 stands for permits that belong to nobody. */
export function conflictOf(label: string, there: number, asked: number): ConflictError {
  if (there > 0 && asked > 0)
    return new ConflictError(
      `${label} exists with ${there} permits, ${asked} were asked for; use one number or another name`,
    )
  const what = (permits: number): string => (permits === 0 ? 'permits that belong to nobody' : `${permits} permits`)
  const mend = 'use the same options or another name'
  return new ConflictError(`${label} exists with ${what(there)}, ${what(asked)} were asked for; ${mend}`)
}
