import { describe, expect, it, vi } from 'vitest'
import { ArgumentError } from '../../src/errors.ts'
import { Feed, type FeedEvents, inputOf } from '../../src/pool/feed.ts'
import { settle } from './loopback.ts'

class Sink implements FeedEvents {
  readonly chunks: unknown[][] = []
  ends: unknown[] = []

  chunk(items: readonly unknown[]): void {
    this.chunks.push([...items])
  }

  over(failure: unknown): void {
    this.ends.push(failure)
  }
}

function open(items: unknown, window: number, chunkSize = 1): { feed: Feed; sink: Sink } {
  const sink = new Sink()
  const feed = new Feed(inputOf(items, 'imap()'), window, chunkSize, sink)
  feed.pull()
  return { feed, sink }
}

/** 0, 1, 2, … for ever. */
function* naturals(asked: number[] = [], closed: () => void = () => undefined): Generator<number> {
  try {
    for (let n = 0; ; n += 1) {
      asked.push(n)
      yield n
    }
  } finally {
    closed()
  }
}

async function* later(items: Iterable<number>, between: () => Promise<unknown> = () => Promise.resolve()) {
  for (const item of items) {
    await between()
    yield item
  }
}

describe('a feed', () => {
  it.each([1, 2, 7])('asks an infinite input for a window of %i, and then for as much as is released', (window) => {
    const asked: number[] = []
    const { feed, sink } = open(naturals(asked), window)
    expect(asked).toHaveLength(window)
    feed.release(1)
    expect(asked).toHaveLength(window + 1)
    feed.release(3)
    expect(asked).toHaveLength(window + 4)
    expect(sink.chunks.flat()).toEqual(asked)
  })

  it('does the same with an asynchronous one, where what was promised counts', async () => {
    const asked: number[] = []
    const { feed } = open(later(naturals(asked)), 3)
    await settle()
    expect(asked).toHaveLength(3)
    feed.release(2)
    await settle()
    expect(asked).toHaveLength(5)
  })

  it('begins a chunk when there is room for all of it', () => {
    const { feed, sink } = open(naturals(), 5, 2)
    expect(sink.chunks).toEqual([
      [0, 1],
      [2, 3],
    ])
    feed.release(1)
    expect(sink.chunks.at(-1)).toEqual([4, 5])
    feed.release(1)
    expect(sink.chunks).toHaveLength(3)
    feed.release(1)
    expect(sink.chunks.at(-1)).toEqual([6, 7])
  })

  it('makes no chunk larger than the window', () => {
    const { sink } = open(naturals(), 3, 100)
    expect(sink.chunks).toEqual([[0, 1, 2]])
  })

  it('hands out what is left at the end, then says so, once', () => {
    const { feed, sink } = open([1, 2, 3], 10, 2)
    expect(sink.chunks).toEqual([[1, 2], [3]])
    expect(sink.ends).toEqual([null])
    feed.release(3)
    feed.pull()
    expect(sink.ends).toHaveLength(1)
    expect(feed.open).toBe(false)
  })

  it('gathers what an asynchronous input has at hand, and sends on what it has when that makes wait', async () => {
    const { sink: together } = open(later([1, 2, 3, 4]), 10, 2)
    await settle()
    expect(together.chunks).toEqual([
      [1, 2],
      [3, 4],
    ])
    let go: () => void = () => undefined
    let waits = 0
    const between = async (): Promise<void> => {
      waits += 1
      if (waits === 2) await new Promise<void>((resolve) => (go = resolve))
    }
    const { sink: apart } = open(later([1, 2, 3], between), 10, 2)
    await settle()
    await settle()
    expect(apart.chunks).toEqual([[1]])
    go()
    await settle()
    expect(apart.chunks).toEqual([[1], [2, 3]])
    expect(apart.ends).toEqual([null])
  })

  it('passes on what the input throws, after the items before it', async () => {
    const error = new Error('out of items')
    function* failing(): Generator<number> {
      yield 1
      throw error
    }
    const { sink } = open(failing(), 10, 2)
    expect(sink.chunks).toEqual([[1]])
    expect(sink.ends).toEqual([{ error }])
    const { sink: asynchronous } = open(later(failing()), 10, 2)
    await settle()
    expect(asynchronous.chunks).toEqual([[1]])
    expect(asynchronous.ends).toEqual([{ error }])
    const { sink: broken } = open({ [Symbol.iterator]: () => ({ next: () => undefined }) }, 10)
    expect(broken.ends).toEqual([{ error: expect.any(TypeError) }])
    const { sink: unopened } = open({ [Symbol.iterator]: () => failing().next() && failing().throw(error) }, 10)
    expect(unopened.ends).toEqual([{ error }])
  })

  it('closes the input once, and asks for nothing more', async () => {
    const closed = vi.fn<() => void>()
    const asked: number[] = []
    const { feed, sink } = open(naturals(asked, closed), 2)
    await feed.close()
    await feed.close()
    feed.release(5)
    expect(closed).toHaveBeenCalledOnce()
    expect(asked).toHaveLength(2)
    expect(sink.ends).toEqual([])
  })

  it('does not close an input that has ended, nor one that threw', async () => {
    const close = vi.fn<() => IteratorResult<number>>(() => ({ done: true, value: 0 }))
    const ended = { [Symbol.iterator]: () => ({ next: () => ({ done: true, value: 0 }), return: close }) }
    await open(ended, 1).feed.close()
    const next = (): never => {
      throw new Error('no')
    }
    await open({ [Symbol.iterator]: () => ({ next, return: close }) }, 1).feed.close()
    expect(close).not.toHaveBeenCalled()
  })

  it('rejects the close with what the input throws then', async () => {
    const input = naturals([], () => {
      throw new Error('cannot close')
    })
    await expect(open(input, 1).feed.close()).rejects.toThrow('cannot close')
  })

  it('closes an input that makes wait, and waits for it no longer', async () => {
    const close = vi.fn<() => Promise<never>>(() => new Promise(() => undefined))
    const input = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined), return: close }) }
    const { feed } = open(input, 1)
    await feed.close()
    expect(close).toHaveBeenCalledOnce()
  })

  it('may be closed and asked by the input’s own code', async () => {
    const closed = vi.fn<() => void>()
    const of: { feed?: Feed } = {}
    function* items(): Generator<number> {
      try {
        yield 1
        of.feed?.release(1)
        yield 2
        void of.feed?.close()
        yield 3
      } finally {
        closed()
      }
    }
    const { feed, sink } = open(items(), 1)
    of.feed = feed
    feed.release(1)
    expect(sink.chunks).toEqual([[1], [2]])
    await settle()
    expect(closed).toHaveBeenCalledOnce()
    expect(sink.ends).toEqual([])
  })

  it.each([undefined, null, 7, {}, { next: () => 1 }])('takes no %s', (items) => {
    expect(() => inputOf(items, 'imap()')).toThrow(ArgumentError)
    expect(() => inputOf(items, 'imap()')).toThrow('imap() takes an iterable or an async iterable of items, got')
  })
})
