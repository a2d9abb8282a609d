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
  /** Whether Ctrl-C is ours to carry out: told at each change, since nobody can ask a main thread that computes. */
  ours(on: boolean): void
}

/** What an ending can do about itself. */
export interface Registered {
  /** There is something that would be left by a signal: it is listened to from now on. */
  heed(): void
  forget(): void
}

/** 128 plus the signal's number, as shells report it. */
const CODES = { SIGINT: 130, SIGTERM: 143 } as const

const endings = new Set<Ending>()
/** Those of them for which signals are listened to: without any, a signal does what it does without us, and at once. */
const heeding = new Set<Ending>()
let hurry: AbortController | null = null

/** Has an ending carried out when the program ends. */
export function onEnd(ending: Ending): Registered {
  if (endings.size === 0) process.on('exit', exiting)
  endings.add(ending)
  return {
    heed: () => {
      if (heeding.has(ending) || !endings.has(ending)) return
      heeding.add(ending)
      if (heeding.size === 1) listen()
      ending.ours(ours())
    },
    forget: () => {
      if (heeding.delete(ending) && heeding.size === 0) stopListening()
      if (endings.delete(ending) && endings.size === 0) process.off('exit', exiting)
    },
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

function ours(): boolean {
  return process.listenerCount('SIGINT') === 1
}

/** Told before the listener is there. */
const added = (event: string | symbol): void => {
  if (event === 'SIGINT') for (const ending of heeding) ending.ours(false)
}

const removed = (event: string | symbol): void => {
  if (event === 'SIGINT') for (const ending of heeding) ending.ours(ours())
}

function listen(): void {
  process.on('SIGINT', interrupted)
  process.on('SIGTERM', terminated)
  process.on('newListener', added)
  process.on('removeListener', removed)
}

function stopListening(): void {
  process.off('removeListener', removed)
  process.off('newListener', added)
  process.off('SIGINT', interrupted)
  process.off('SIGTERM', terminated)
}
