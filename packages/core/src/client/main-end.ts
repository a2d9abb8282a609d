/**
 * The ways in which a main program ends early or falls off its end, and what is done about its children then. A program that
 * listens to a signal itself keeps the say on it.
 */

import { isMainProcess } from '../current-process.ts'

export interface Ending {
  /** Ends all children, first politely; an abort of the signal means at once. */
  stop(hurry: AbortSignal | null): Promise<void>
  /** The same without an event loop. */
  stopNow(): void
}

/** 128 plus the signal's number, as shells report it. */
const CODES = { SIGINT: 130, SIGTERM: 143 } as const

const endings = new Set<Ending>()
let hurry: AbortController | null = null

/** Has an ending carried out when the program ends; the returned function takes it back. */
export function onEnd(ending: Ending): () => void {
  if (endings.size === 0) listen()
  endings.add(ending)
  return () => {
    if (endings.delete(ending) && endings.size === 0) stopListening()
  }
}

const interrupted = (): void => ended('SIGINT')
const terminated = (): void => ended('SIGTERM')

function ended(signal: 'SIGINT' | 'SIGTERM'): void {
  if (process.listenerCount(signal) > 1) return
  if (hurry !== null) {
    hurry.abort()
    return
  }
  hurry = new AbortController()
  const { signal: hurried } = hurry
  const all = Promise.allSettled([...endings].map((ending) => ending.stop(hurried)))
  void all.then(() => leave(signal))
}

/** A child that has a supervisor of its own, for a second namespace, ends by the signal: that is what its parent is told. */
function leave(signal: 'SIGINT' | 'SIGTERM'): void {
  if (isMainProcess) process.exit(CODES[signal])
  stopListening()
  process.kill(process.pid, signal)
}

function exiting(): void {
  for (const ending of endings) ending.stopNow()
}

function listen(): void {
  process.on('SIGINT', interrupted)
  process.on('SIGTERM', terminated)
  process.on('exit', exiting)
}

function stopListening(): void {
  process.off('SIGINT', interrupted)
  process.off('SIGTERM', terminated)
  process.off('exit', exiting)
}
