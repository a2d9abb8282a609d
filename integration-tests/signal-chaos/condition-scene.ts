/**
 * Waiters of a condition and those who notify them, killed at a random moment: as they wait, are notified, get the lock back, hold it.
 * Notifications are counted, and the lock's history is judged.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '@skein/conformance'
import { expect } from 'vitest'
import { History } from '../lock-chaos/history.ts'
import { conditionOf, notifyOnce, scribe, waitOnce } from './condition-turns.mjs'
import type { Victim } from './crew.ts'
import { later, noGhosts, type Scene } from './scenes.ts'

/** So many wait, and so often is notified at most: of those who live, there are always enough for the next notification. */
const FLOWS = 14
/** So many of these by the victim, up to three in one call. */
const BY_VICTIM = 9
const AT_ONCE = 3

/** Each notification reaches somebody who lives, or one who gave the lock back before it died; nobody else is woken, and all are in the end. */
export async function condition(scene: Scene, dying: readonly ('waiter' | 'notifier')[]): Promise<string> {
  const { mp, start, startChild, random, name, known, programs } = scene
  const object = conditionOf(mp, name)
  const history = scene.file()
  const write = scribe(history)
  let [woken, over] = [0, 0]
  const flows: Promise<void>[] = []
  const enter = (count: number): void => {
    for (let flow = 0; flow < count; flow += 1) {
      const say = (word: string): void => {
        if (word === 'woken') woken += 1
        if (word === 'returned') over += 1
      }
      flows.push(waitOnce(object, write(flows.length), random() * 2, say))
    }
  }
  // It stands among the first, so that its turn comes near the moment of its death, before or after it.
  enter(random() < 0.5 ? 0 : Math.floor(random() * 5))
  const [waiter = null, patient] = await Promise.all([
    dying.includes('waiter') ? start('waiter', name, history) : undefined,
    startChild('waiter', name, history),
  ])
  enter(FLOWS - flows.length)
  const aim = random()
  // Else it may also die before it has a place.
  const all = FLOWS + 1 + (waiter !== null && aim > 1 / 3 ? 1 : 0)
  await until('all stand in line', async () => (await standing(scene)) >= all)
  const notifier = dying.includes('notifier') ? await start('notifier', name, history) : null

  let given = 0
  let begun = (): void => {}
  const begin = new Promise<void>((resolve) => (begun = resolve))
  const most = notifier === null ? FLOWS : FLOWS - BY_VICTIM
  const notifying = (async (): Promise<void> => {
    while (given < most) {
      const count = Math.min(most - given, 1 + Math.floor(random() * AT_ONCE))
      await notifyOnce(object, write(FLOWS), count, random() * 4, begun)
      given += count
      await pause(random() * 8 * (programs ? 8 : 1))
    }
  })()
  const striking = (async (): Promise<void> => {
    if (waiter === null || aim < 1 / 3) await pause(later(scene))
    else {
      // As the first are notified and the lock is not free yet, or as it has the lock again.
      await begin
      if (aim > 2 / 3) await until('woken', () => given >= most || waiter.said('woken') > 0)
      await pause(random() * 6)
    }
    await Promise.all([waiter?.kill(), notifier?.kill()])
  })()
  await Promise.all([notifying, striking])

  const notified = given + (notifier?.said('notified') ?? 0)
  const living = (): number => woken + patient.said('woken')
  const used = { least: waiter?.said('returned') ?? 0, most: waiter?.said('left') ?? 0 }
  await until('nobody who lives has lost a notification', () => living() >= notified - used.most, known)
  await object.with(() => {}, { timeout: known })
  await until('who was woken has gone on', () => over === woken, known)
  // Its last call may have come through, or a part of what it had to say of that.
  expect(living()).toBeLessThanOrEqual(notified + (notifier === null ? 0 : AT_ONCE) - used.least)

  const before = patient.said('woken')
  await until(
    'all who live are woken in the end',
    async () => {
      await object.with(() => object.notifyAll(), { timeout: known })
      return over === FLOWS && patient.said('woken') > before
    },
    known,
  )
  await Promise.all(flows)
  await patient.end()
  await noGhosts(scene, 'condition', name)
  await until('the lock is free', async () => !(await object.locked()), known)
  expect(judged(history)).toEqual([])
  await object.destroy()
  return waiter === null ? (given < notified ? 'notified' : 'nothing') : stateOf(waiter)
}

async function standing({ mp, name }: Scene): Promise<number> {
  const { objects } = await mp.inspect()
  return objects.find((one) => one.kind === 'condition' && one.name === name)?.waiters.length ?? 0
}

function stateOf(victim: Victim): string {
  const woken = victim.said('woken')
  if (woken === 0) return 'waiting'
  return victim.said('left') < woken ? 'holding' : 'turning'
}

/** How it was broken that one at a time holds the lock. */
function judged(path: string): readonly string[] {
  const history = new History()
  for (const line of readFileSync(path, 'utf8').split('\n')) if (line !== '') history.line(line)
  return history.verdict.violations
}
