/** Waiting for what has no event of its own, and looking at operating system processes. For tests only. */
import { readFileSync, readdirSync } from 'node:fs'
import process from 'node:process'

const POLL_MS = 10

/**
 * Polls until `holds` says so.
 *
 * @param what ends the sentence "after N ms still not: …"
 * @param within milliseconds
 */
export async function until(what: string, holds: () => boolean | Promise<boolean>, within = 20_000): Promise<void> {
  const start = performance.now()
  while (!(await holds())) {
    if (performance.now() - start > within) throw new Error(`after ${within} ms still not: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** One line of the process table. */
export interface ProcessRow {
  readonly pid: number
  readonly parent: number
  /** `Z`: dead, not yet collected by its parent. */
  readonly state: string
}

/** The process table, from /proc; empty where there is none. Names may hold blanks and brackets, hence the last bracket. */
export function processTable(): ProcessRow[] {
  const rows: ProcessRow[] = []
  for (const entry of listDirectory('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid)) continue
    const stat = readOrEmpty(`/proc/${pid}/stat`)
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state !== undefined && parent !== undefined) rows.push({ pid, parent: Number(parent), state })
  }
  return rows
}

/** Whether the process runs; one that is dead but not yet collected does not. */
export function isRunning(pid: number): boolean {
  const stat = readOrEmpty(`/proc/${pid}/stat`)
  if (stat !== '') return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  if (listDirectory('/proc/self').length > 0) return false
  try {
    return process.kill(pid, 0)
  } catch {
    return false // ESRCH: there is no such process
  }
}

export function listDirectory(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return [] // no such directory here, or the process that it describes has just ended
  }
}

export function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // the process has just ended, or is not ours
  }
}
