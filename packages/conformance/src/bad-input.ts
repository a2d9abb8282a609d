/** Wrong calls: one sentence each, before anything has happened. Types would stop most of them; programs without types exist. */
import {
  ArgumentError,
  ClosedError,
  EncodeError,
  registerError,
  targetsOf,
  TargetNotFoundError,
  task,
  TimeoutError,
} from '@skein/core'
import type { Context, Lock } from '@skein/core'
import { expect } from 'vitest'
import { failureOf, messageOf, untyped } from './checking.ts'
import type { Suite } from './harness.ts'
import { add, double, nothing } from './targets/basic.ts'
import { alsoExported, notExported } from './targets/hidden.ts'

type Call = (mp: Context) => unknown

/** What is called wrongly, and words that the message must have. */
const wrong: readonly (readonly [what: string, call: Call, words: RegExp])[] = [
  ['a process without a target', (mp) => mp.process(untyped(undefined)), /target|function/],
  ['a target that is a string', (mp) => mp.process(untyped('work.ts')), /target|function/],
  ['a target that is an object', (mp) => mp.process(untyped({})), /target|function/],
  ['a target of Node itself', (mp) => mp.process(Math.max, [1, 2]), /native|bound|built-in|export/i],
  ['a bound target', (mp) => mp.process(add.bind(null, 1), [2]), /bind\(/],
  ['arguments that are no array', (mp) => mp.process(add, untyped('12')), /args.*array/],
  ['a target of a pool that is no function', (mp) => once(mp, (pool) => pool.apply(untyped(7))), /target|function/],
  ['an unknown option of a process', (mp) => mp.process(nothing, [], untyped({ demon: true })), /demon.*daemon/],
  ['a process in no directory', (mp) => mp.process(nothing, [], { cwd: '' }), /cwd.*directory/],
  ['a process in a directory that is a number', (mp) => mp.process(nothing, [], { cwd: untyped(7) }), /cwd.*7/],
  [
    'a stdio that is unknown',
    (mp) => mp.process(nothing, [], { stdio: untyped('pipes') }),
    /stdio.*inherit, pipe, ignore/,
  ],
  ['an env that is a list', (mp) => mp.process(nothing, [], { env: untyped(['A=1']) }), /env.*array/],
  ['an env with a number', (mp) => mp.process(nothing, [], { env: { PORT: untyped(8080) } }), /env\.PORT.*8080/],
  ['an env with an impossible name', (mp) => mp.process(nothing, [], { env: { 'A=B': '1' } }), /A=B/],
  ['an env with NUL', (mp) => mp.process(nothing, [], { env: { A: 'b\0c' } }), /env\.A.*NUL/],
  [
    'a process with a signal that is none',
    (mp) => mp.process(nothing, [], { signal: untyped('SIGTERM') }),
    /AbortSignal/,
  ],
  ['a detached daemon', (mp) => mp.process(nothing, [], { detached: true, daemon: true }), /detached.*daemon/],
  ['a restart of no kind', (mp) => mp.process(nothing, [], { restart: untyped({}) }), /restart\.on.*failure.*always/],
  ['a restart that is a word', (mp) => mp.process(nothing, [], { restart: untyped('always') }), /restart.*object.*on/],
  [
    'a restart always ',
    (mp) => mp.process(nothing, [], { restart: { on: untyped('always ') } }),
    /restart\.on.*"always "/,
  ],
  [
    'a restart with max -1',
    (mp) => mp.process(nothing, [], { restart: { on: 'always', max: -1 } }),
    /restart\.max.*-1/,
  ],
  ['a restart within 0', (mp) => mp.process(nothing, [], { restart: { on: 'always', within: 0 } }), /restart\.within/],
  ['a backoff of -5', (mp) => mp.process(nothing, [], { restart: { on: 'always', backoff: -5 } }), /restart\.backoff/],
  ['a daemon that is a word', (mp) => mp.process(nothing, [], { daemon: untyped('yes') }), /daemon.*true or false/],
  ['targetsOf() of a word', () => targetsOf('work.ts'), /targetsOf.*file URL.*"work\.ts"/],
  ['targetsOf() of the web', () => targetsOf(new URL('https://localhost/a.ts')), /targetsOf.*file URL/],
  ['targetsOf() of nothing', () => targetsOf(untyped(undefined)), /targetsOf.*file URL.*undefined/],
  [
    'targetsOf() of a file that is not there',
    () => targetsOf(new URL('./no.ts', import.meta.url)),
    /no module.*no\.\{ts/,
  ],
  ['a task without an id', () => task(untyped({}), nothing), /task\(\).*name.*undefined/],
  ['a task that is a function alone', () => task(untyped(nothing), untyped(undefined)), /task\(\).*\{ id \}/],
  ['a task with a bad id', () => task({ id: 'a b' }, nothing), /task\(\).*"a b"/],
  ['a task of no function', () => task({ id: 'bad.input' }, untyped(7)), /task\(\).*function.*7/],
  ['a task with retries -1', () => task({ id: 'bad.input', retries: -1 }, nothing), /retries/],
  ['a task with an unknown option', () => task(untyped({ id: 'bad.input', retry: 1 }), nothing), /retry.*retries/],
  ['a task with a signal', () => task(untyped({ id: 'bad.input', signal: null }), nothing), /signal/],
  ['registerError() of no class', () => registerError(untyped({})), /registerError.*class that extends Error/],
  ['registerError() of a class of no error', () => registerError(untyped(Map)), /registerError.*Map/],
  ['an unknown option of a wait', (mp) => mp.queue().get(untyped({ timout: 5 })), /timout.*timeout/],
  ['an unknown option of a queue', (mp) => mp.queue(untyped({ maxsize: 5 })), /maxsize.*maxSize/],
  [
    'an unknown option of a joinable queue',
    (mp) => mp.joinableQueue(untyped({ maxsize: 5 })),
    /joinableQueue.*maxsize/,
  ],
  ['a bound of a simple queue', (mp) => mp.simpleQueue(untyped({ maxSize: 5 })), /simpleQueue.*maxSize/],
  ['an unknown option of a lock', (mp) => mp.lock(untyped({ nmae: 'x' })), /nmae.*name/],
  ['an unknown option of a condition', (mp) => mp.condition(untyped({ lokc: mp.lock() })), /condition.*lokc.*lock/],
  ['a lock of a condition that is a name', (mp) => mp.condition({ lock: untyped('desk') }), /lock must be.*"desk"/],
  ['a lock of a condition that is a side', (mp) => mp.condition({ lock: mp.rwlock().write }), /lock must be.*rwlock/],
  ['a condition as the lock of another', (mp) => mp.condition({ lock: mp.condition() }), /lock must be.*condition/],
  ['a name of a condition with a slash', (mp) => mp.condition('orders/lock'), /name.*"\/"/],
  ['an unknown option of an rwlock', (mp) => mp.rwlock(untyped({ nmae: 'x' })), /rwlock.*nmae.*name/],
  ['a timeout of a side that is a string', (mp) => mp.rwlock().write.acquire({ timeout: untyped('1s') }), /timeout/],
  ['an unknown option of a pool', (mp) => mp.pool(1, untyped({ initialiser: nothing })), /initialiser.*initializer/],
  ['a timeout that is a string', (mp) => mp.lock().acquire({ timeout: untyped('1s') }), /timeout/],
  ['a timeout that is NaN', (mp) => mp.queue().get({ timeout: Number.NaN }), /timeout/],
  ['a signal that is none', (mp) => mp.queue().get({ signal: untyped({ aborted: false }) }), /signal/],
  ['a wait that is a number', (mp) => mp.queue().get(untyped(5)), /timeout/],
  ...['', 'a b', 'a{b}', 'line\nbreak', '\0', '../x', '🧵', 'x'.repeat(129)].flatMap(
    (name): [string, Call, RegExp][] => [
      [`the name ${JSON.stringify(name.slice(0, 20))} of a lock`, (mp) => mp.lock(name), /name/],
      [`the name ${JSON.stringify(name.slice(0, 20))} of a queue`, (mp) => mp.queue({ name }), /name/],
    ],
  ),
  ['a name that is a number', (mp) => mp.lock({ name: untyped(42) }), /name/],
  ...[0, -1, 1.5, Number.NaN, untyped('4')].flatMap((count): [string, Call, RegExp][] => [
    [`a pool of ${count}`, (mp) => mp.pool(count), /size|workers/],
    [`a semaphore of ${count}`, (mp) => mp.semaphore(count), /permits/],
    [`a bounded semaphore of ${count}`, (mp) => mp.boundedSemaphore(count), /boundedSemaphore.*permits/],
    [`a queue with maxDeliveries ${count}`, (mp) => mp.queue({ maxDeliveries: count }), /maxDeliveries/],
    [
      `a map in chunks of ${count}`,
      (mp) => once(mp, (pool) => pool.map(double, [1], { chunkSize: count })),
      /chunkSize/,
    ],
    [
      `a consume() with concurrency ${count}`,
      (mp) => mp.queue().consume(nothing, { concurrency: count }),
      /concurrency/,
    ],
  ]),
  ...[-1, 1.5, Number.NaN, untyped('4')].map((count): [string, Call, RegExp] => [
    `a latch of ${count}`,
    (mp) => mp.latch(count),
    /latch.*count/,
  ]),
  ...[0, -1, 1.5, untyped('4')].map((n): [string, Call, RegExp] => [
    `a countDown of ${n}`,
    (mp) => mp.latch(2).countDown(n),
    /countDown.*n/,
  ]),
  ...[0, -1, 1.5, untyped('4')].map((parties): [string, Call, RegExp] => [
    `a barrier of ${parties}`,
    (mp) => mp.barrier(parties),
    /barrier.*parties/,
  ]),
  ['an unknown option of a barrier', (mp) => mp.barrier(2, untyped({ acton: nothing })), /acton.*action/],
  ['an action that is no function', (mp) => mp.barrier(2, { action: untyped('go') }), /function/],
  ['an action that is a closure', (mp) => mp.barrier(2, { action: () => mp.kind }), /closure/],
  ['an unknown option of an event', (mp) => mp.event(untyped({ nmae: 'x' })), /nmae.*name/],
  ['a semaphore of -1 that nobody owns', (mp) => mp.semaphore(-1, { owned: false }), /semaphore.*permits/],
  ['a semaphore owned by a word', (mp) => mp.semaphore(1, { owned: untyped('no') }), /owned.*true or false/],
  ...[0, -1, 1.5, untyped('4')].map((permits): [string, Call, RegExp] => [
    `an acquire of ${permits} permits that nobody owns`,
    (mp) => mp.semaphore(2, { owned: false }).acquire({ permits }),
    /permits/,
  ]),
  [
    'a semaphore of 2 ** 53',
    (mp) => mp.semaphore(2 ** 53),
    /permits.*from 1 to 9007199254740991, got 9007199254740992/,
  ],
  ['a pool of a million', (mp) => mp.pool(1e6), /size of a pool.*from 1 to 4096, got 1000000/],
  ['a queue with maxSize 2.5', (mp) => mp.queue({ maxSize: 2.5 }), /maxSize/],
  ['a map over nothing', (mp) => once(mp, (pool) => pool.map(nothing, untyped(null))), /map\(\).*iterable/],
  ['a map over a number', (mp) => once(mp, (pool) => pool.map(nothing, untyped(5))), /map\(\).*iterable/],
  ['negative retries', (mp) => once(mp, (pool) => pool.apply(nothing, [], { retries: -1 })), /retries/],
  ['a pipe with a wrong option', (mp) => mp.pipe(untyped({ duplex: 'no' })), /duplex/],
  ['a poll with a wrong timeout', (mp) => mp.pipe()[0].poll(Number.NaN), /timeout/],
  ['bytes that are text', (mp) => mp.pipe()[0].sendBytes(untyped('text')), /Uint8Array|bytes/],
  ['an update by no function', (mp) => mp.value(0).update(untyped(1)), /update\(\).*function/],
  ['an unknown option of a value', (mp) => mp.value(0, untyped({ nmae: 'x' })), /nmae.*name/],
  ['labels that are null', (mp) => mp.process(nothing, [], { labels: untyped(null) }), /labels.*null/],
  ['a directory that is null', (mp) => mp.process(nothing, [], { cwd: untyped(null) }), /cwd.*directory.*null/],
  ['a signal of a process that is null', (mp) => mp.process(nothing, [], { signal: untyped(null) }), /signal.*null/],
  ['an acquire of null permits', (mp) => mp.semaphore(2).acquire({ permits: untyped(null) }), /permits.*null/],
  ['a queue with maxSize Infinity', (mp) => mp.queue({ maxSize: Infinity }), /maxSize.*Infinity; leave it out/],
  // Nobody waits for what would be run with nothing.
  [
    'a body of a held lock that is missing',
    underLock((lock) => lock.with(untyped(undefined))),
    /lock.*body.*undefined/,
  ],
  ['a body of an rlock that is text', (mp) => mp.rlock().with(untyped('go')), /rlock.*body.*"go"/],
  ['a body of a writer that is null', (mp) => mp.rwlock().write.with(untyped(null)), /rwlock.*body.*null/],
  ['a body of a semaphore that is a number', (mp) => mp.semaphore(1).with(untyped(5)), /semaphore.*body.*5/],
  ['a body of a counter that is a number', (mp) => mp.semaphore(0, { owned: false }).with(untyped(5)), /body.*5/],
  ['a body of a condition that is a promise', (mp) => mp.condition().with(untyped(Promise.resolve())), /body.*object/],
  ['a campaign that is text', (mp) => mp.election('bad-input').run(untyped('go')), /election.*body.*"go"/],
  ['a predicate that is a value', (mp) => mp.condition().waitFor(untyped(true)), /waitFor.*predicate.*true/],
  ['a grace that is negative', (mp) => mp.process(nothing).terminate({ grace: -1 }), /grace/],
]

function underLock(call: (lock: Lock) => unknown): Call {
  return async (mp) => {
    const lock = mp.lock()
    await lock.acquire()
    await call(lock)
  }
}

async function once(mp: Context, use: (pool: ReturnType<Context['pool']>) => unknown): Promise<unknown> {
  const pool = mp.pool(1)
  try {
    return await use(pool)
  } finally {
    await pool.terminate()
  }
}

export function badInputSuite(suite: Suite): void {
  suite('wrong calls', (check) => {
    for (const [what, call, words] of wrong) {
      check(`${what} is refused in one sentence`, async ({ mp }) => {
        const error = await failureOf(() => call(mp))
        expect(error).toBeInstanceOf(ArgumentError)
        const { message } = error as Error
        expect(message).toMatch(words)
        expect(message).not.toContain('\n')
        expect(message.length).toBeLessThan(400)
      })
    }

    check('a closure is refused when it is started, with the place where it stands', async ({ mp }) => {
      const message = await messageOf(async () => {
        const child = mp.process(() => 1)
        await child.start()
      })
      expect(message).toMatch(/bad-input\.[jt]s:\d+:\d+/)
      expect(message).toContain('export')
    })

    check('a function that is not exported is refused; the message lists the exports there are', async ({ mp }) => {
      const error = await failureOf(() => mp.process(notExported()).start())
      expect(error).toBeInstanceOf(TargetNotFoundError)
      const { message } = error as Error
      for (const word of ['keptBack', 'notExported', 'alsoExported']) expect(message).toContain(word)
      expect(message).toMatch(/hidden\.[jt]s:\d+:\d+/)
    })

    check('a pool’s task that is not exported rejects with the same sentence', async ({ pool }) => {
      const error = await failureOf(() => pool(1).apply(notExported()))
      expect(error).toBeInstanceOf(TargetNotFoundError)
      expect(await pool(1).apply(alsoExported)).toBe('anybody can call this')
    })

    check('an argument that cannot cross is refused with its path', async ({ mp }) => {
      const error = await failureOf(() => mp.process(add, [1, untyped({ onDone: () => {} })]))
      expect(error).toBeInstanceOf(EncodeError)
      expect((error as Error).message).toContain('args[1].onDone is a function and cannot cross processes')
    })

    check('a context that was closed takes no calls, and neither do its handles', async ({ connect }) => {
      const mp = await connect()
      const [queue, lock, semaphore] = [mp.queue<number>(), mp.lock(), mp.semaphore(1)]
      await queue.put(1)
      await mp.close()
      const calls: (() => unknown)[] = [
        () => mp.process(nothing).start(),
        () => mp.pool(1).apply(nothing),
        () => mp.queue().put(1),
        () => mp.lock().acquire(),
        () => queue.get(),
        () => queue.tryPut(2),
        () => lock.acquire(),
        () => semaphore.value(),
      ]
      for (const call of calls) expect(await failureOf(call)).toBeInstanceOf(ClosedError)
      await mp.close()
    })

    check('an option that somebody hung on Object.prototype is not applied', async ({ mp }) => {
      const queue = mp.queue<number>({ maxSize: 1 })
      const prototype: { timeout?: number } = Object.prototype
      try {
        prototype.timeout = 0
        const waiting = queue.get({})
        await queue.put(1)
        expect(await waiting).toBe(1)
        await queue.put(2)
        const put = queue.put(3)
        // A later and longer wait has run out: this one would have, too.
        await expect(mp.queue().get({ timeout: 5 })).rejects.toBeInstanceOf(TimeoutError)
        expect(await queue.get()).toBe(2)
        await put
      } finally {
        delete prototype.timeout
      }
    })

    check('a timeout beyond what timers count does not run out at once', async ({ mp }) => {
      for (const timeout of [2 ** 31, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
        const queue = mp.queue<number>()
        const waiting = queue.get({ timeout })
        await queue.size()
        await queue.put(1)
        expect(await waiting).toBe(1)
      }
    })
  })
}
