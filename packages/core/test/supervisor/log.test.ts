/** What is kept of a process's output, and how its pieces become lines again. */
import { expect, test } from 'vitest'
import { type LogBeginning, logLines } from '../../src/client/log-lines.ts'
import type { Broker } from '../../src/supervisor/broker/broker.ts'
import { Log, type LogAnswer } from '../../src/supervisor/broker/log.ts'
import type { ProcessObject } from '../../src/supervisor/broker/process.ts'
import { ProcessOutput } from '../../src/supervisor/broker/process-output.ts'
import type { Call } from '../../src/supervisor/broker/session.ts'
import { Starter, type StarterHome } from '../../src/supervisor/broker/starter.ts'
import type { FifoStock } from '../../src/supervisor/fifo-stock.ts'
import { op, type Frame } from '../../src/wire/frame.ts'

/** As a call of the broker's, with what it needs here. */
async function read(log: Log, from: number, wait: boolean): Promise<LogAnswer> {
  return new Promise((resolve) => {
    const call = { ok: resolve, waits: () => undefined } as unknown as Call
    log.read(call, from, wait)
  })
}

async function texts(log: Log, options: Partial<LogBeginning> = {}): Promise<string[]> {
  const source = { read: (from: number, wait: boolean) => read(log, from, wait), leave: () => undefined }
  const lines: string[] = []
  for await (const { text, dropped } of logLines(() => source, { tail: Infinity, follow: false, ...options })) {
    lines.push(dropped > 0 ? `${dropped} dropped: ${text}` : text)
  }
  return lines
}

test('a line comes whole, however it was written, and streams do not mix', async () => {
  const log = new Log()
  for (const byte of Buffer.from('grüß Gott\n')) {
    log.push(1, Buffer.of(byte))
    log.push(2, Buffer.from('!'))
  }
  log.push(2, Buffer.from('\n'))
  expect(await texts(log)).toEqual(['grüß Gott', '!'.repeat(12)])
})

test('what has no beginning any more is not shown, of the stream that it belongs to', async () => {
  const log = new Log()
  log.push(1, Buffer.from('a long beginning of a line'))
  log.push(2, Buffer.from('error\n'))
  log.push(1, Buffer.from(`its end\n${'x'.repeat(70_000)}\nlast\n`))
  expect(await texts(log)).toEqual(['x'.repeat(70_000), 'last'])
})

test('a line of more than 64 KiB comes in pieces, cut between characters', async () => {
  const log = new Log()
  const text = 'ü'.repeat(50_000)
  const lines = texts(log, { follow: true })
  for (let at = 0; at < 100_000; at += 9_999) {
    log.push(1, Buffer.from(text).subarray(at, at + 9_999))
    // The reader has its turn.
    await new Promise(setImmediate)
  }
  log.end()
  const pieces = await lines
  expect(pieces.length).toBeGreaterThan(1)
  expect(pieces.join('')).toBe(text)
})

test('the break between two runs ends a line', async () => {
  const log = new Log()
  log.push(1, Buffer.from('killed in the mid'))
  log.breakLines()
  log.breakLines()
  log.push(1, Buffer.from('again\n'))
  expect(await texts(log)).toEqual(['killed in the mid', 'again'])
})

test('small writes take no more room than others, and all that is dropped is told', async () => {
  const log = new Log()
  log.push(1, Buffer.from('first\n'))
  const source = { read: (from: number, wait: boolean) => read(log, from, wait), leave: () => undefined }
  const lines = logLines(() => source, { tail: 1, follow: true })
  expect((await lines.next()).value).toMatchObject({ text: 'first' })
  for (let n = 0; n < 100_000; n += 1) log.push(1, Buffer.from('ab\n'))
  log.end()
  let [seen, dropped] = [0, 0]
  for await (const line of lines) {
    expect(line.text).toBe('ab')
    seen += 3
    dropped += line.dropped
  }
  // The first whole line after what is missing may have had its beginning there.
  expect(300_000 - seen - dropped).toBeLessThan(3)
  expect(log.size).toBeLessThan(66 * 1024)
})

test('when it must make room, nothing is left', async () => {
  const log = new Log()
  log.push(1, Buffer.from('gone\n'))
  log.end()
  log.discard()
  expect(await texts(log, { follow: true })).toEqual([])
})

test('what is missing after the last line is told, too', async () => {
  const log = new Log()
  log.push(1, Buffer.from('first\n'))
  const source = { read: (from: number, wait: boolean) => read(log, from, wait), leave: () => undefined }
  const lines = logLines(() => source, { tail: 1, follow: true })
  await lines.next()
  log.push(1, Buffer.from('12345\n'))
  log.end()
  log.discard()
  expect((await lines.next()).value).toEqual({ stream: 'stderr', text: '', dropped: 6 })
  expect((await lines.next()).done).toBe(true)
})

test('and is told beside the last lines that were asked for, not in place of one', async () => {
  const log = new Log()
  let asked = 0
  const source = {
    read: (from: number, wait: boolean) => {
      // Between the first look and the next, what came after that makes room.
      if ((asked += 1) === 2) log.discard()
      return read(log, from, wait)
    },
    leave: () => undefined,
  }
  for (const line of ['x'.repeat(65_536), 'gone']) log.push(1, Buffer.from(`${line}\n`))
  log.end()
  const lines: [string, number][] = []
  for await (const { text, dropped } of logLines(() => source, { tail: 1, follow: false })) {
    lines.push([text.slice(0, 3), dropped])
  }
  expect(lines).toEqual([
    ['xxx', 0],
    ['', 5],
  ])
})

test('logs of processes that have ended push out nothing that nobody has read', () => {
  const starter = new Starter({} as Broker, {} as StarterHome, {} as FifoStock)
  const ended = (stdio: 'pipe' | 'inherit', payload: Buffer): ProcessOutput => {
    const output = new ProcessOutput('process', () => undefined)
    output.begin(stdio)
    output.heard({ op: op.output, a: 1, b: 0, payload } as Frame)
    output.end()
    starter.remember({} as ProcessObject, 0, output)
    return output
  }
  const unread = ended('pipe', Buffer.from('unread\n'))
  const logged = Array.from({ length: 900 }, () => ended('inherit', Buffer.alloc(64 * 1024)))
  expect(unread.unread[0]?.size).toBe(7)
  expect(logged.filter(({ log }) => log.size > 0)).toHaveLength(256)
  for (let more = 0; more < 100; more += 1) ended('pipe', Buffer.alloc(1024 * 1024))
  expect(unread.unread[0]?.size).toBe(0)
})
