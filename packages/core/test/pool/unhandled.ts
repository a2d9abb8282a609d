/** For test files in which no rejection may be left unhandled. */
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { settle } from './loopback.ts'

const unhandled = vi.fn<(reason: unknown) => void>()

/** Fails every test of the file after which somebody was to hear an error and nobody was there. */
export function refuseUnhandled(): void {
  beforeEach(() => {
    unhandled.mockClear()
    process.on('unhandledRejection', unhandled)
  })
  afterEach(async () => {
    await settle()
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })
}

/** Asserts that there was none so far. */
export async function expectNoneUnhandled(): Promise<void> {
  await settle()
  expect(unhandled).not.toHaveBeenCalled()
}
