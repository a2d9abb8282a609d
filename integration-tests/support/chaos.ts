/** How long and how hard a chaos run is: short with all other tests, long by `pnpm chaos`. What happens in it hangs on one seed, which is printed. */
import process from 'node:process'

function setting(name: string, short: number): number {
  const given = process.env[name] ?? ''
  if (given === '') return short
  const value = Number(given)
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} is ${given}; it must be a whole number`)
  return value
}

/** The same seed has the same kinds of faults in the same order; what they meet is up to the machine. */
export const SEED: number = setting('SKEIN_CHAOS_SEED', Math.floor(Math.random() * 1e9))
/** How long programs contend for a lock. */
export const SECONDS: number = setting('SKEIN_CHAOS_SECONDS', 8)
/** How many go through a queue. */
export const ITEMS: number = setting('SKEIN_CHAOS_ITEMS', 2_000)
/** How many are killed while they hold, wait for or change something, of each kind of thing. */
export const KILLS: number = setting('SKEIN_CHAOS_KILLS', 6)
/** How many processes are started, and how many pools opened, one after the other. */
export const STARTS: number = setting('SKEIN_CHAOS_STARTS', 15)

/** How many tasks a pool is given whose workers' hosts are killed. */
export const TASKS: number = setting('SKEIN_CHAOS_TASKS', 400)
/** How many processes are started at once, for few places. */
export const PROCESSES: number = setting('SKEIN_CHAOS_PROCESSES', 60)

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
