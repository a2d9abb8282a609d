/** What a program keeps of each request for permits that it has made in Redis. */
import type { Call, Session } from '@skein/core/adapter'
import type { Patient } from './permits-patience.ts'

/** It was granted. */
export interface Grant {
  readonly session: Session
  readonly rid: string
}

/** It has not been settled. Its id changes when the program's session or its process's place is lost. */
export interface Ask extends Patient {
  readonly call: Call
  readonly permits: number
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
