/**
 * What this process holds of the operating system, listed before and after: whatever is there afterwards and was not before is
 * a leak. Child processes are found by their parents and by a mark in their environment, so that an orphan is found, too.
 * Memory is not looked at.
 */
import { randomUUID } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import process from 'node:process'
import { isRunning, listDirectory, processTable, readOrEmpty, until } from './until.ts'

/** One line for each thing held now. */
export type ListHeld = () => Promise<readonly string[]> | readonly string[]

const MARK = 'SKEIN_LEAK_MARK'
const SETTLE_MS = 20_000

/** @param extra what else the adapter holds, such as keys and connections of a server */
export async function footprint(extra: ListHeld = () => []): Promise<readonly string[]> {
  const held = [...descendants(), ...openFiles(), ...listeners(), ...resources(), ...temporaryFiles()]
  return [...held, ...(await extra())]
}

/** The lines of `after` that are not in `before`, as often as they are there in excess. */
export function excess(before: readonly string[], after: readonly string[]): string[] {
  const known = new Map<string, number>()
  for (const line of before) known.set(line, (known.get(line) ?? 0) + 1)
  return after.filter((line) => {
    const left = known.get(line) ?? 0
    known.set(line, left - 1)
    return left <= 0
  })
}

/**
 * Rejects unless nothing is held in excess of `before`. What is given back asynchronously gets time.
 *
 * @param within milliseconds
 */
export async function expectNothingLeaked(
  before: readonly string[],
  extra?: ListHeld,
  within: number = SETTLE_MS,
): Promise<void> {
  let left: string[] = []
  const settled = async (): Promise<boolean> => {
    left = excess(before, await footprint(extra))
    return left.length === 0
  }
  try {
    await until('nothing leaked', settled, within)
  } catch (cause) {
    if (left.length === 0) throw cause
    throw new Error(`Leaked: ${left.join('; ')}`, { cause })
  }
}

/** Every process started from here on carries the mark, and so do its children. */
process.env[MARK] ??= randomUUID()

function descendants(): string[] {
  const mark = `${MARK}=${process.env[MARK]}`
  const family = new Set([process.pid])
  // Parents come before their children almost always: process ids grow. A second look finds the rest.
  for (let round = 0; round < 2; round += 1) {
    for (const row of processTable()) {
      if (family.has(row.parent) || readOrEmpty(`/proc/${row.pid}/environ`).includes(mark)) family.add(row.pid)
    }
  }
  family.delete(process.pid)
  return [...family]
    .filter(isRunning)
    .map((pid) => `process ${pid} (${readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()})`)
}

/** Without what is different each time: the number of a socket, the name of a file that had only a number or an id. */
function nameless(file: string): string {
  return file.replace(/:\[\d+\]$/, '').replace(/-[\da-f-]{36}\b(\/\d+)?/, '-*')
}

/** By kind, since numbers are used again. */
function openFiles(): string[] {
  return listDirectory('/proc/self/fd').flatMap((fd) => {
    try {
      return [`open file ${nameless(readlinkSync(`/proc/self/fd/${fd}`))}`]
    } catch {
      return [] // the descriptor that listed the directory
    }
  })
}

function listeners(): string[] {
  return process
    .eventNames()
    .flatMap((event) =>
      Array<string>(process.listenerCount(event)).fill(`listener of process for ${JSON.stringify(String(event))}`),
    )
}

function resources(): string[] {
  return process.getActiveResourcesInfo().map((kind) => `active resource ${kind}`)
}

/** The harness gives each suite a temporary directory of its own, so all in it is ours. */
function temporaryFiles(): string[] {
  return listDirectory(tmpdir()).map((name) => `temporary file ${name}`)
}
