/** Inputs of an imap, and what takes its results. */
import { vi } from 'vitest'

/** 0, 1, 2, … for ever, and how many were asked for. */
export class Naturals implements Iterable<number> {
  asked = 0
  readonly closed: () => void = vi.fn<() => void>();

  *[Symbol.iterator](): Generator<number> {
    try {
      for (;;) {
        this.asked += 1
        yield this.asked - 1
      }
    } finally {
      this.closed()
    }
  }
}

export async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const result of results) all.push(result)
  return all
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}
