import { describe, expect, it } from 'vitest'
import { encode } from '../../src/codec/index.ts'
import { EncodeError, ProtocolError } from '../../src/errors.ts'
import { OutcomeWriter, readOutcomes } from '../../src/pool/outcomes.ts'
import { decode, workerDeps } from './loopback.ts'
import { map, range, RecordingPort, run } from './recording-port.ts'

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

  it('that do not fit their tasks reject all of these', () => {
    const writer = new OutcomeWriter(workerDeps)
    const read = (bytes: Uint8Array, count: number): unknown[] => {
      const all: unknown[] = []
      readOutcomes(bytes, count, 5, decode, {
        fulfilled: (index, value) => (all[index] = value),
        rejected: (index, error) => (all[index] = error),
      })
      return all.slice(5)
    }
    const whole = (): Uint8Array => {
      writer.fulfilled(1, false)
      writer.rejected('thrown', 2)
      writer.fulfilled({ n: 2 }, false)
      return writer.take()
    }
    expect(read(whole(), 4)).toEqual([1, 'thrown', 'thrown', { n: 2 }])
    const unreadable: unknown = expect.any(ProtocolError)
    expect(read(whole(), 3)).toEqual([unreadable, unreadable, unreadable])
    expect(read(whole(), 5)).toHaveLength(5)
    expect(read(encode([1, 2]), 1)).toEqual([unreadable])
    expect(read(encode({ length: 1 }), 1)).toEqual([unreadable])
    expect(read(encode(new Uint8Array(5)), 1)).toEqual([unreadable])
    expect(read(encode(new Uint8Array([7, 1, 0, 0, 0, 0, 0, 0, 0])), 1)).toEqual([unreadable])
    expect(read(encode(new Uint8Array([0, 1, 0, 0, 0, 9, 0, 0, 0])), 1)).toEqual([unreadable])
    // One part that cannot be read is no reason to lose the others.
    const parts = decode(whole()) as Uint8Array
    parts[9 + 1] = 0xc1
    expect(read(encode(parts), 4)).toEqual([unreadable, 'thrown', 'thrown', { n: 2 }])
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
