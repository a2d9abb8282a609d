import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { WorkerPort } from '../../src/contract/fleet.ts'
import type { TargetRef } from '../../src/contract/target.ts'
import { runWorker, type WorkerDeps } from '../../src/pool/worker.ts'
import { settle, workerDeps } from './loopback.ts'
import { map, range, RecordingPort, ref, run } from './recording-port.ts'

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/** A clock that stands still but when a task moves it: how long tasks take is then exact, from a whole number on. */
function stopClock(): { pass: (milliseconds: number) => void } {
  let now = Math.ceil(performance.now())
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  return { pass: (milliseconds) => (now += milliseconds) }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('reports', () => {
  it('of a chunk of one task: one, when it is done', async () => {
    const port = new RecordingPort([map([5]), map([6])])
    await run(port, (item: number) => item * 2)
    expect(port.told).toEqual([
      { first: 0, count: 1, until: 1 },
      { first: 0, count: 1, until: 1 },
    ])
    expect(port.outcomes).toEqual([[{ value: 10 }], [{ value: 12 }]])
  })

  it('are shared by short tasks, none of which starts beyond what was told', async () => {
    const { pass } = stopClock()
    const items = range(2000)
    const port = new RecordingPort([map(items), map(items)])
    let beyond = 0
    await run(port, (item: number) => {
      if (item >= port.until) beyond += 1
      // A binary fraction: no sum of it is rounded.
      pass(1 / 1024)
      return item + 1
    })
    expect(beyond).toBe(0)
    expect(port.values).toEqual(items.map((item) => item + 1))
    const counts = port.told.map(({ count }) => count)
    // One by one at first, then growing, then 0.25 ms of work at a time; the second chunk begins with the pace of the first.
    const full = Array.from({ length: 7 }, () => 256)
    const first = [...Array.from({ length: 32 }, () => 1), 1, 4, 16, 64, ...full, 91]
    const second = [0, ...full, 208]
    expect(counts).toEqual([...first, ...second])
  })

  it('of tasks that take long: one for each, before the next starts', async () => {
    const { pass } = stopClock()
    const port = new RecordingPort([map(range(300))])
    const slow: { readonly item: number; readonly reported: number; readonly until: number }[] = []
    await run(port, (item: number) => {
      if (item >= 200) slow.push({ item, reported: port.reported, until: port.until })
      pass(item >= 200 ? 0.5 : 0.001)
    })
    // The first long task could not be foreseen, and among the shortest the clock is looked at every 16 tasks.
    expect(slow[0]?.reported).toBeLessThan(200)
    expect(slow.slice(16)).toEqual(
      range(300)
        .slice(216)
        .map((item) => ({ item, reported: item, until: item + 1 })),
    )
  })

  it('come before a task waits', async () => {
    const port = new RecordingPort([map(range(2000))])
    const seen: (readonly [number, number, number])[] = []
    await run(port, async (item: number) => {
      if (item % 500 !== 499) return item
      await settle()
      seen.push([item, port.reported, port.until])
      return item
    })
    expect(seen).toEqual([499, 999, 1499, 1999].map((item) => [item, item, item + 1]))
    expect(port.values).toEqual(range(2000))
  })

  it('are shared by asynchronous tasks that wait for nothing', async () => {
    stopClock()
    const port = new RecordingPort([map(range(5000))])
    await run(port, async (item: number) => {
      await Promise.resolve()
      if (item === 7) throw new RangeError('seven')
      return item
    })
    expect(port.told.length).toBeLessThan(50)
    expect(port.outcomes[0]?.[7]).toEqual({ error: new RangeError('seven') })
    expect(port.values.filter((value) => typeof value === 'number')).toHaveLength(4999)
  })

  it('of tasks that wait: one for each', async () => {
    const port = new RecordingPort([map(range(100))])
    await run(port, async (item: number) => {
      await settle()
      return item
    })
    expect(port.told).toHaveLength(100)
    expect(port.values).toEqual(range(100))
  })

  it('tell at the exit of the process all but the running task', async () => {
    const port = new RecordingPort([map(range(1000))])
    let exit: (() => void) | undefined
    const seen: (readonly [number, number])[] = []
    const work = (item: number): number => {
      if (item === 777) {
        exit?.()
        seen.push([port.reported, port.until])
      }
      return item
    }
    await run(port, work, { atExit: (settleUp) => (exit = settleUp) })
    expect(seen).toEqual([[777, 778]])
    expect(port.values).toEqual(range(1000))
    const told = port.told.length
    exit?.()
    expect(port.told).toHaveLength(told)
  })

  it('stay whole when the process ends while the last result is read', async () => {
    const port = new RecordingPort([map(range(3), 2)])
    let exit: (() => void) | undefined
    const work = (): object => ({
      get value(): number {
        exit?.()
        return 1
      },
    })
    await run(port, work, { atExit: (settleUp) => (exit = settleUp) })
    expect(port.told).toEqual([{ first: 2, count: 1, until: 3 }])
    expect(port.values.slice(2)).toEqual([{ value: 1 }])
  })

  it('start where a former worker stopped', async () => {
    const port = new RecordingPort([map(range(10), 7)])
    const ran: number[] = []
    await run(port, (item: number) => void ran.push(item))
    expect(ran).toEqual([7, 8, 9])
    expect(port.told.reduce((sum, { count }) => sum + count, 0)).toBe(3)
  })
})

describe('the target', () => {
  it('is resolved once for each reference', async () => {
    const other: TargetRef = { module: 'tasks', export: 'other' }
    const resolveTarget = vi.fn<WorkerDeps['resolveTarget']>().mockResolvedValue((item: unknown) => item)
    const port = new RecordingPort([map([1]), map([2]), map([3], 0, other), map([4])])
    await runWorker(port, { ...workerDeps, resolveTarget })
    expect(resolveTarget.mock.calls).toEqual([[ref], [other]])
  })

  it('that was missing is looked for again', async () => {
    const resolveTarget = vi.fn<WorkerDeps['resolveTarget']>().mockRejectedValueOnce(new RangeError('missing'))
    resolveTarget.mockResolvedValue((item: unknown) => item)
    const port = new RecordingPort([map([1, 2]), map([3])])
    await runWorker(port, { ...workerDeps, resolveTarget })
    const missing = { error: new RangeError('missing') }
    expect(port.outcomes).toEqual([[missing, missing], [{ value: 3 }]])
  })
})

describe('the event loop', () => {
  it.each([
    ['synchronous tasks of one chunk', [map(range(60))], () => spin(2)],
    ['synchronous tasks of many chunks', range(60).map((n) => map([n])), () => spin(2)],
    ['asynchronous tasks that wait for nothing', [map(range(60))], async () => spin(2)],
  ])('turns during %s', async (_, assignments, work) => {
    const port = new RecordingPort(assignments)
    let turns = 0
    let running = true
    const count = (): void => {
      turns += 1
      if (running) setImmediate(count)
    }
    setImmediate(count)
    await run(port, work)
    running = false
    // A turn after 10 ms, which is five tasks at most.
    expect(turns).toBeGreaterThanOrEqual(10)
  })

  it('is not needed by short tasks that are at hand', async () => {
    stopClock()
    const port = new RecordingPort(range(10_000).map((n) => map([n])))
    let turned = false
    setImmediate(() => (turned = true))
    await run(port, (item: number) => item)
    expect(turned).toBe(false)
  })
})

describe('an idle worker', () => {
  it('keeps nothing of its last task', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const seen: WeakRef<object>[] = []
    const ends: ((value: null) => void)[] = []
    const assignments = [map([{ n: 1 }]), map([{ n: 2 }, { n: 3 }])]
    const port: WorkerPort = {
      next: () => assignments.shift() ?? new Promise((resolve) => ends.push(resolve)),
      report: () => undefined,
    }
    const ended = run(port, async (item: object) => {
      seen.push(new WeakRef(item))
      await settle()
      return item
    })
    while (ends.length === 0) await settle()
    await settle()
    collect()
    expect(seen.map((each) => each.deref())).toEqual([undefined, undefined, undefined])
    ends[0]?.(null)
    await ended
  })
})
