/** What both ways of placing a process say of it. */
import { constants } from 'node:os'
import { encode } from '@skein/core/adapter'
import type { EncodedExit, StartSpec } from '@skein/core/adapter'

/** Of a process that was never launched. */
export const cancelled: EncodedExit = {
  exitCode: -constants.signals.SIGKILL,
  signal: 'SIGKILL',
  reason: 'signaled',
  error: null,
  result: null,
}

export function refused(error: Error): EncodedExit {
  return { exitCode: 1, signal: null, reason: 'spawn-failed', error: encode(error), result: null }
}

/** What people see of a start in Redis. Target, arguments, environment and directory are in no job. */
export function described({ id, name, daemon, parent, role }: StartSpec): Readonly<Record<string, unknown>> {
  return { id, name, kind: role.kind, daemon, parent: { id: parent.id, name: parent.name, pid: parent.pid } }
}
