/** Plays scenes, each of them so many times, and prints what happened in them. */
import type { Context } from '@skein/core'
import { SEED, seeded } from '../support/chaos.ts'
import type { Crew, StartVictim } from './crew.ts'
import type { Scene } from './scenes.ts'

export type Scenes = Readonly<Record<string, (scene: Scene) => Promise<string>>>

export interface Run {
  readonly scenes: Scenes
  readonly mp: Context
  readonly start: StartVictim
  readonly crew: Crew
  readonly rounds: number
  readonly known: number
  readonly programs: boolean
}

/** How often a scene had an outcome, by `<scene> <outcome>`. */
export async function play(run: Run): Promise<ReadonlyMap<string, number>> {
  const { scenes, mp, start, crew, rounds, known, programs } = run
  const counts = new Map<string, number>()
  const startChild = crew.children(mp)
  const file = (): string => crew.file()
  // Side by side: most of the time each of them waits for a death to be known.
  const played = Object.entries(scenes).map(async ([what, scene], at) => {
    const random = seeded(SEED + at)
    for (let round = 0; round < rounds; round += 1) {
      const name = `${what}-${round}`
      const outcome = await scene({ mp, start, startChild, file, random, known, programs, name })
      const key = `${what} ${outcome}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  })
  const ends = await Promise.allSettled(played)
  const failed = ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : []))
  console.log(`seed ${SEED}, ${crew.kills} kills: ${[...counts].map(([what, count]) => `${what} ${count}`).join(', ')}`)
  if (failed.length > 0) throw new AggregateError(failed, `seed ${SEED}: ${String(failed[0])}`)
  return counts
}
