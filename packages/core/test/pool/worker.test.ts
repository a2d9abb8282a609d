import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { encode } from '../../src/codec/index.ts'
import type { TargetRef } from '../../src/contract/target.ts'
import { EncodeError, ProtocolError } from '../../src/errors.ts'
import type { Assignment, WorkerPort } from '../../src/contract/fleet.ts'
import { readOutcomes } from '../../src/pool/outcomes.ts'
import { runWorker, type WorkerDeps } from '../../src/pool/worker.ts'
import { decode, settle, workerDeps } from './loopback.ts'

interface Told {
  readonly first: number
  readonly count: number
  readonly until: number
}

type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** A port that hands out given chunks and keeps what it is told. */
class RecordingPort implements WorkerPort {
  readonly told: Told[] = []
  readonly outcomes: Outcome[][] = []
  /** Of the running chunk: tasks below are reported, none from `until` on may start. */
  reported = 0
  until = 0
  readonly #assignments: Assignment[]

  constructor(assignments: Assignment[]) {
    this.#assignments = [...assignments]
  }

  next(): Assignment | null {
    const next = this.#assignments.shift() ?? null
    if (next === null) return null
    this.outcomes.push([])
    this.reported = next.first
    this.until = next.first + 1
    return next
  }

  report(_chunk: number, first: number, count: number, outcomes: Uint8Array, until: number): void {
    expect(first).toBe(this.reported)
    this.told.push({ first, count, until })
    this.reported += count
    this.until = until
    if (count === 0) return
    const all = this.outcomes.at(-1) ?? []
    readOutcomes(outcomes, count, first, decode, {
      fulfilled: (index, value) => (all[index] = { value }),
      rejected: (index, error) => (all[index] = { error }),
    })
  }

  get values(): unknown[] {
    return (this.outcomes.at(-1) ?? []).map((outcome) => ('value' in outcome ? outcome.value : outcome.error))
  }
}

const ref: TargetRef = { module: 'tasks', export: 'work' }

function map(items: readonly unknown[], first = 0, target = ref): Assignment {
  return { chunk: 1, target, shape: 'map', count: items.length, payload: encode(items), first }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function run(port: WorkerPort, work: (item: never) => unknown, more: Partial<WorkerDeps> = {}): Promise<void> {
  const call = work as (...args: unknown[]) => unknown
  return runWorker(port, { ...workerDeps, resolveTarget: () => Promise.resolve(call), ...more })
}

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

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
    const items = range(50_000)
    const port = new RecordingPort([map(items), map(items)])
    let beyond = 0
    await run(port, (item: number) => {
      if (item >= port.until) beyond += 1
      return item + 1
    })
    expect(beyond).toBe(0)
    expect(port.values).toEqual(items.map((item) => item + 1))
    expect(port.told.length).toBeLessThan(items.length / 10)
    // The second chunk began with the pace of the first.
    const second = port.told.findIndex(({ first, count }) => first === 0 && count === 0)
    expect(port.told[second]?.until).toBeGreaterThan(1)
    // The first tasks of a target go one by one.
    expect(port.told.slice(0, 32).every(({ first, count, until }) => count === 1 && until === first + 2)).toBe(true)
  })

  it('of tasks that take long: one for each, before the next starts', async () => {
    const port = new RecordingPort([map(range(200))])
    const slow: { readonly item: number; readonly reported: number; readonly until: number }[] = []
    await run(port, (item: number) => {
      if (item < 100) return
      slow.push({ item, reported: port.reported, until: port.until })
      spin(0.2)
    })
    // The first long task could not be foreseen.
    expect(slow.slice(1).every(({ item, reported, until }) => reported === item && until === item + 1)).toBe(true)
    expect(slow).toHaveLength(100)
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
    const port = new RecordingPort([map(range(5000))])
    await run(port, async (item: number) => {
      await Promise.resolve()
      if (item === 7) throw new RangeError('seven')
      return item
    })
    expect(port.told.length).toBeLessThan(1000)
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

  it('start where a former worker stopped', async () => {
    const port = new RecordingPort([map(range(10), 7)])
    const ran: number[] = []
    await run(port, (item: number) => void ran.push(item))
    expect(ran).toEqual([7, 8, 9])
    expect(port.told.reduce((sum, { count }) => sum + count, 0)).toBe(3)
  })
})

describe('outcomes', () => {
  it('of every kind, next to each other', async () => {
    const items = range(64)
    const shared = { n: 0 }
    const port = new RecordingPort([map(items), map(items)])
    await run(port, (item: number) => {
      if (item % 8 === 1) throw new RangeError(`task ${item}`)
      if (item % 8 === 2) return () => undefined
      if (item % 8 === 3) return Symbol('x')
      if (item % 8 === 4) return undefined
      shared.n = item
      return item % 8 === 5 ? shared : item
    })
    for (const outcomes of port.outcomes) {
      expect(outcomes).toHaveLength(64)
      outcomes.forEach((outcome, item) => {
        if (item % 8 === 1) expect(outcome).toEqual({ error: new RangeError(`task ${item}`) })
        else if (item % 8 === 2 || item % 8 === 3) {
          expect(outcome).toEqual({ error: expect.any(EncodeError) as unknown })
          expect('error' in outcome && String(outcome.error)).toMatch(/result is a (function|symbol)/)
        } else if (item % 8 === 4) expect(outcome).toEqual({ value: undefined })
        else expect(outcome).toEqual({ value: item % 8 === 5 ? { n: item } : item })
      })
    }
  })

  it('of a foreign thenable, and of one that throws', async () => {
    const port = new RecordingPort([map([0, 1, 2])])
    await run(port, (item: number) => ({
      then(resolve: (value: number) => void, reject: (error: Error) => void): void {
        if (item === 0) resolve(7)
        else if (item === 1) reject(new RangeError('one'))
        else throw new RangeError('two')
      },
    }))
    expect(port.outcomes).toEqual([[{ value: 7 }, { error: new RangeError('one') }, { error: new RangeError('two') }]])
  })

  it('of a chunk that cannot be read', async () => {
    const bad = { ...map([1, 2, 3]), payload: new Uint8Array([255]) }
    const short = { ...map([1, 2]), count: 3, first: 1 }
    const port = new RecordingPort([bad, short, map([4])])
    await run(port, (item: number) => item)
    const unreadable = { error: expect.any(ProtocolError) as unknown }
    expect(port.outcomes[0]).toEqual([unreadable, unreadable, unreadable])
    expect(port.outcomes[1]?.slice(1)).toEqual([unreadable, unreadable])
    expect(port.outcomes[2]).toEqual([{ value: 4 }])
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
    // 120 ms of work in turns of 10 to 12 ms.
    expect(turns).toBeGreaterThanOrEqual(5)
    expect(turns).toBeLessThanOrEqual(40)
  })

  it('is not needed by short tasks that are at hand', async () => {
    const port = new RecordingPort(range(10).map((n) => map([n])))
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
