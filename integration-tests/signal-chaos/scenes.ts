/** One death each, at a random moment, and what must be true afterwards. What it was that happened is returned, for the statistics. */
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '@skein/conformance'
import { BrokenBarrierError, type Context, type HandleKind } from '@skein/core'
import { expect } from 'vitest'
import type { StartVictim } from './crew.ts'

export interface Scene {
  readonly mp: Context
  readonly start: StartVictim
  /** One that is to live: a child of this program. */
  readonly startChild: StartVictim
  /** An empty file. */
  readonly file: () => string
  readonly random: () => number
  readonly name: string
  /** Milliseconds within which everybody knows of a death. */
  readonly known: number
  /** A permit that its taker has not confirmed when its whole program dies is given to the next. */
  readonly programs: boolean
}

/** How long a victim lives on after it has begun, in ms: mostly short, since its call is on its way then. A program is slower at first. */
function soon({ random, programs }: Scene): number {
  return (random() < 0.5 ? random() * 2 : random() * 15) * (programs ? 20 : 1)
}

/** The same of one that makes many calls. */
export function later(scene: Scene): number {
  const { random, programs } = scene
  return random() < 0.3 ? soon(scene) : random() * 60 * (programs ? 8 : 1)
}

/** Nobody who is dead stands in the line. */
export async function noGhosts({ mp, known }: Scene, kind: HandleKind, name: string): Promise<void> {
  const waiters = async (): Promise<number> =>
    (await mp.inspect()).objects.find((one) => one.kind === kind && one.name === name)?.waiters.length ?? 0
  await until('nobody waits', async () => (await waiters()) === 0, known)
}

type Passing = { done: false } | { done: true; seat: number | null; error: unknown }

/** Everybody who waits passes or hears that it is broken; nobody waits for the dead. */
export async function party(scene: Scene): Promise<string> {
  const { mp, start, random, name, known } = scene
  const barrier = mp.barrier(3, name)
  const all: Passing[] = []
  const arrive = (): void => {
    const at = all.push({ done: false }) - 1
    barrier.wait().then(
      (seat) => (all[at] = { done: true, seat, error: null }),
      (error: unknown) => (all[at] = { done: true, seat: null, error }),
    )
  }
  const open = (): number => all.filter(({ done }) => !done).length
  const seats = (): number[] => all.flatMap((one) => (one.done && one.seat !== null ? [one.seat] : []))
  const victim = await start('party', name)
  arrive()
  if (random() < 0.3) arrive()
  await pause(soon(scene))
  // Sometimes it is known to have its seat. Then only its death can end the wait of those who are there.
  const seated = random() < 0.7 && (await barrier.waiting()) > all.length
  await victim.kill()
  if (seated) {
    await until('those who are there have heard of it', () => open() === 0, known)
    expect(seats()).toEqual([])
  }
  while (all.length < 3) arrive()
  // The last one may be about to hear of it.
  const victimPassed = async (): Promise<boolean> =>
    open() === 1 && seats().length === 2 && (await barrier.waiting()) === 1
  await until('all know, or the victim had passed with two', async () => open() === 0 || (await victimPassed()), known)
  const outcome = open() === 1 ? 'passed' : seats().length === 0 ? 'broken' : 'absent'
  if (outcome === 'broken')
    for (const one of all) expect(one).toMatchObject({ error: expect.any(BrokenBarrierError) as unknown })
  else expect(new Set(seats()).size).toBe(outcome === 'absent' ? 3 : 2)
  if (outcome === 'passed') {
    // The victim is dead and has no seat in the next round.
    arrive()
    arrive()
    await until('the next round passes', () => open() === 0, known)
    expect(
      seats()
        .slice(-3)
        .toSorted((a, b) => a - b),
    ).toEqual([0, 1, 2])
  }
  await barrier.reset()
  expect(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).toEqual([0, 1, 2])
  await barrier.destroy()
  return outcome
}

/** The living are woken, whenever it was that the other one died. */
export async function signal(scene: Scene, role: 'event' | 'latch'): Promise<string> {
  const { mp, start, random, name } = scene
  const object = role === 'event' ? mp.event(name) : mp.latch(2, name)
  const fire = async (): Promise<void> => {
    if ('set' in object) await object.set()
    else await Promise.all([object.countDown(), object.countDown()])
  }
  const victim = await start(role, name)
  const witnesses = [object.wait({ timeout: 20_000 }), object.wait({ timeout: 20_000 })]
  const first = random() < 0.5
  const fired = first ? fire() : null
  await pause(soon(scene))
  await victim.kill()
  await (fired ?? fire())
  await Promise.all([...witnesses, object.wait({ timeout: 20_000 })])
  await noGhosts(scene, role, name)
  await object.destroy()
  return victim.said('woken') === 1 ? 'woken' : 'waiting'
}

/** What was given is there, the last of it whether the giver has heard so or not, and can be taken. */
export async function giver(scene: Scene): Promise<string> {
  const { mp, start, name } = scene
  const semaphore = mp.semaphore(0, { name, owned: false })
  const victim = await start('giver', name)
  await pause(later(scene))
  await victim.kill()
  const gave = victim.said('gave')
  await until('what it gave is there', async () => (await semaphore.value()) >= gave)
  const value = await semaphore.value()
  expect(value - gave).toBeLessThanOrEqual(1)
  for (let permit = 0; permit < value; permit += 1) expect(await semaphore.tryAcquire()).not.toBeNull()
  expect(await semaphore.tryAcquire()).toBeNull()
  await semaphore.destroy()
  return gave > 0 ? 'gave' : 'nothing'
}

/** No permit is lost but one that the dead one got and did not live to tell, and none goes to the dead. */
export async function taker(scene: Scene): Promise<string> {
  const { mp, start, name, known, programs } = scene
  const semaphore = mp.semaphore(0, { name, owned: false })
  const victim = await start('taker', name)
  let [given, mine, over] = [0, 0, false]
  const giving = (async () => {
    while (!over) {
      await semaphore.release()
      given += 1
    }
  })()
  const taking = (async () => {
    while (!over) if ((await semaphore.tryAcquire()) !== null) mine += 1
  })()
  await pause(later(scene))
  await victim.kill()
  over = true
  await Promise.all([giving, taking])
  await noGhosts(scene, 'semaphore', name)
  const took = victim.said('took')
  const lost = given - took - mine - (await semaphore.value())
  expect(lost).toBeLessThanOrEqual(1)
  expect(lost).toBeGreaterThanOrEqual(programs ? -1 : 0)
  // Whoever asks now gets what is given now.
  while ((await semaphore.tryAcquire()) !== null) mine += 1
  const waits = [1, 2, 3].map(() => semaphore.acquire({ timeout: known }))
  for (const _ of waits) await semaphore.release()
  await Promise.all(waits)
  expect(await semaphore.value()).toBe(0)
  await semaphore.destroy()
  return took > 0 ? 'took' : 'nothing'
}
