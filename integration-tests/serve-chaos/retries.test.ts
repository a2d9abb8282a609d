/**
 * Many tasks of a pool, each of which may run twice at most, in programs that are killed at random: each settles once, with its result or with
 * an error that says who died, and none runs more often than it may.
 */
import { HostLostError, WorkerLostError } from '@skein/core'
import { expect, test } from 'vitest'
import { SEED, seeded, TASKS } from '../support/chaos.ts'
import { SLOTS } from './accidents.ts'
import { allSlots, numbersIn, scene, within } from './scene.ts'
import { squareAndMark } from './tasks.mjs'

/** Kills there must have been, for it to show anything. */
const ENOUGH = 3
const LONG = 120_000 + TASKS * 100

test(`tasks with one retry (seed ${SEED})`, { timeout: LONG }, async () => {
  const { mp, accidents, file } = await scene(seeded(SEED), ['kill'])
  const pool = mp.pool(4)
  const marks = file('marks')
  const began = performance.now()
  const settled: number[] = []
  const errors: unknown[] = []
  let rounds = 0
  const play = async (n: number): Promise<void> => {
    try {
      expect(await pool.apply(squareAndMark, [n, marks], { retries: 1 })).toBe(n * n)
    } catch (error) {
      errors.push(error)
    }
    settled[n] = (settled[n] ?? 0) + 1
  }
  for (; rounds === 0 || accidents.done.kill < ENOUGH; rounds += 1)
    await Promise.all(Array.from({ length: TASKS }, (_, n) => play(rounds * TASKS + n)))
  const took = performance.now() - began
  await accidents.end()

  const all = rounds * TASKS
  expect(settled).toEqual(Array.from({ length: all }, () => 1))
  for (const error of errors)
    expect(error instanceof WorkerLostError || error instanceof HostLostError, String(error)).toBe(true)
  const runs = new Array<number>(all).fill(0)
  for (const n of numbersIn(marks)) runs[n] = (runs[n] ?? 0) + 1
  expect(Math.max(...runs)).toBeLessThanOrEqual(2)
  const again = runs.filter((count) => count === 2).length
  // Each kill meets as many tasks as there are slots, and one of them fails only when it is met twice.
  expect(again + errors.length).toBeLessThanOrEqual(accidents.done.kill * SLOTS)
  // One that has never begun has failed, killed before its first word twice.
  expect(runs.filter((count) => count === 0).length).toBeLessThanOrEqual(errors.length)
  const { lost } = await pool.stats()
  console.log(
    `tasks with one retry, seed ${SEED}: ${all} tasks, ${accidents.done.kill} hosts killed, ${lost} workers lost, ${again} ran twice, ${errors.length} failed, ${Math.round(took / 1_000)} s`,
  )
  pool.close()
  await within('join()', pool.join())
  await allSlots(mp)
})
