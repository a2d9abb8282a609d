/** A pipe: two ends, what happens when one is closed, dead or passed on. */
import process from 'node:process'
import { BrokenPipeError, ClosedError, EncodeError, EndOfStreamError, StateError, TimeoutError } from '@skein/core'
import type { Connection } from '@skein/core'
import { expect } from 'vitest'
import type { Suite } from './harness.ts'
import { answer, recvOne, sendAll, sendAndClose, sendAndIdle, sendOnReceivedEnd } from './targets/pipe.ts'

export function pipeSuite(suite: Suite): void {
  suite('pipe', (check) => {
    check('what one end sends the other receives, both ways, in order', async ({ mp }) => {
      const [left, right] = mp.pipe<number>()
      for (const message of [1, 2, 3]) await left.send(message)
      await right.send(4)
      expect([await right.recv(), await right.recv(), await right.recv()]).toEqual([1, 2, 3])
      expect(await left.recv()).toBe(4)
    })

    check('a child answers through its end', async ({ mp, start }) => {
      const [here, there] = mp.pipe<string>()
      const child = await start(mp.process(answer<string>, [there]))
      for (const word of ['to', 'and', 'fro']) {
        await here.send(word)
        expect(await here.recv()).toBe(word)
      }
      await here.close()
      expect(await child.result()).toBe(3)
    })

    check('messages neither merge nor split, and an empty one is a message', async ({ mp, start }) => {
      const [here, there] = mp.pipe()
      const messages = ['', undefined, null, [], 'x'.repeat(1_000_000), '', 'end']
      await start(mp.process(sendAll<unknown>, [there, messages]))
      for (const message of messages) expect(await here.recv()).toEqual(message)
    })

    check('bytes of 16 MB pass, an empty array, too', async ({ mp, start }) => {
      const [here, there] = mp.pipe<Uint8Array>()
      const child = await start(mp.process(answer<Uint8Array>, [there]))
      const bytes = new Uint8Array(16_000_000).map((_, index) => index % 253)
      const sent = here.sendBytes(bytes)
      expect(Buffer.compare(await here.recv(), bytes)).toBe(0)
      await sent
      const [left, right] = mp.pipe()
      await left.sendBytes(new Uint8Array(0))
      expect(await right.recvBytes()).toEqual(new Uint8Array(0))
      await here.close()
      await child.join()
    })

    check('recvBytes() leaves a message that is not bytes', async ({ mp }) => {
      const [left, right] = mp.pipe<string>()
      await left.send('words')
      await expect(right.recvBytes()).rejects.toBeInstanceOf(StateError)
      expect(await right.recv()).toBe('words')
    })

    check('a one-way pipe is a reader and a writer; the wrong direction is refused', async ({ mp }) => {
      const [reader, writer] = mp.pipe<number>({ duplex: false })
      expect(reader).toMatchObject({ readable: true, writable: false })
      expect(writer).toMatchObject({ readable: false, writable: true })
      await expect(reader.send(1)).rejects.toBeInstanceOf(StateError)
      await expect(reader.sendBytes(new Uint8Array(1))).rejects.toBeInstanceOf(StateError)
      await expect(writer.recv()).rejects.toBeInstanceOf(StateError)
      await expect(writer.recvBytes()).rejects.toBeInstanceOf(StateError)
      await writer.send(2)
      expect(await reader.recv()).toBe(2)
    })

    check('poll() says whether recv() would settle at once, and takes nothing', async ({ mp }) => {
      const [left, right] = mp.pipe<string>()
      expect(await right.poll()).toBe(false)
      expect(await right.poll(-1)).toBe(false)
      const asked = performance.now()
      expect(await right.poll(50)).toBe(false)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      const waiting = right.poll(10_000)
      await left.send('news')
      expect(await waiting).toBe(true)
      expect(await right.poll()).toBe(true)
      expect(await right.recv()).toBe('news')
      expect(await right.poll()).toBe(false)
      await left.close()
      expect(await right.poll()).toBe(true)
    })

    check('a wait in poll() can be aborted', async ({ mp }) => {
      const [left, right] = mp.pipe<string>()
      const abort = new AbortController()
      const waiting = expect(right.poll(60_000, { signal: abort.signal })).rejects.toThrow('enough')
      abort.abort(new Error('enough'))
      await waiting
      await left.send('news')
      expect(await right.recv()).toBe('news')
    })

    check('recv() that runs out or is aborted takes nothing, now or later', async ({ mp }) => {
      const [left, right] = mp.pipe<string>()
      await expect(right.recv({ timeout: 0 })).rejects.toBeInstanceOf(TimeoutError)
      const asked = performance.now()
      await expect(right.recv({ timeout: 50 })).rejects.toBeInstanceOf(TimeoutError)
      expect(performance.now() - asked).toBeGreaterThanOrEqual(49)
      const abort = new AbortController()
      const waiting = expect(right.recv({ signal: abort.signal })).rejects.toThrow('enough')
      abort.abort(new Error('enough'))
      await waiting
      await left.send('kept')
      expect(await right.recv({ timeout: 5_000 })).toBe('kept')
    })

    check('a signal that is aborted already: nothing is sent or received', async ({ mp }) => {
      const [left, right] = mp.pipe<string>()
      const reason = new Error('changed my mind')
      const signal = AbortSignal.abort(reason)
      await left.send('first')
      await expect(left.send('second', { signal })).rejects.toBe(reason)
      await expect(right.recv({ signal })).rejects.toBe(reason)
      expect(await right.recv()).toBe('first')
      expect(await right.poll()).toBe(false)
    })

    check('the other end closed: recv() drains, then EndOfStreamError; send() is a BrokenPipeError', async ({ mp }) => {
      const [left, right] = mp.pipe<number>()
      await left.send(1)
      await left.send(2)
      await left.close()
      expect([await right.recv(), await right.recv()]).toEqual([1, 2])
      await expect(right.recv()).rejects.toBeInstanceOf(EndOfStreamError)
      await expect(right.recv()).rejects.toBeInstanceOf(EndOfStreamError)
      await expect(right.send(3)).rejects.toBeInstanceOf(BrokenPipeError)
    })

    check('who waits in recv() when the other end closes gets EndOfStreamError', async ({ mp }) => {
      const [left, right] = mp.pipe<number>()
      const waiting = expect(right.recv()).rejects.toBeInstanceOf(EndOfStreamError)
      await right.poll()
      await left.close()
      await waiting
    })

    check('an end that was closed here takes no calls but close()', async ({ mp }) => {
      const [left] = mp.pipe<number>()
      await left.close()
      await left.close()
      await expect(left.send(1)).rejects.toBeInstanceOf(ClosedError)
      await expect(left.recv()).rejects.toBeInstanceOf(ClosedError)
    })

    check('a child that closes its end is read to the end', async ({ mp, start }) => {
      const [here, there] = mp.pipe<number>()
      await start(mp.process(sendAndClose<number>, [there, [1, 2]]))
      expect([await here.recv(), await here.recv()]).toEqual([1, 2])
      await expect(here.recv()).rejects.toBeInstanceOf(EndOfStreamError)
    })

    check('a child that ends without closing is read to the end', async ({ mp, start }) => {
      const [here, there] = mp.pipe<number>()
      const child = await start(mp.process(sendAll<number>, [there, [1, 2]]))
      await child.join()
      expect([await here.recv(), await here.recv()]).toEqual([1, 2])
      await expect(here.recv()).rejects.toBeInstanceOf(EndOfStreamError)
      await expect(here.send(3)).rejects.toBeInstanceOf(BrokenPipeError)
    })

    check('a child killed by SIGKILL is read to the end', async ({ mp, start, deathKnownWithin }) => {
      const [here, there] = mp.pipe<number>()
      const said = mp.queue<number>()
      await start(mp.process(sendAndIdle<number>, [there, [1, 2], said]))
      process.kill(await said.get(), 'SIGKILL')
      const killed = performance.now()
      expect([await here.recv(), await here.recv()]).toEqual([1, 2])
      await expect(here.recv()).rejects.toBeInstanceOf(EndOfStreamError)
      expect(performance.now() - killed).toBeLessThan(deathKnownWithin)
      await expect(here.send(3)).rejects.toBeInstanceOf(BrokenPipeError)
    })

    check('an end can be passed through another pipe', async ({ mp, start }) => {
      const [here, there] = mp.pipe<string>()
      const [left, right] = mp.pipe<Connection<string>>()
      await start(mp.process(sendOnReceivedEnd<string>, [right, 'through the second']))
      await left.send(there)
      expect(await here.recv()).toBe('through the second')
    })

    check('an end can be passed through a queue, messages waiting in it', async ({ mp, start }) => {
      const [left, right] = mp.pipe<string>()
      await left.send('waiting')
      const ends = mp.queue<Connection<string>>()
      await ends.put(right)
      const child = await start(mp.process(recvOne<string>, [await ends.get()]))
      expect(await child.result()).toBe('waiting')
    })

    check('a message that cannot cross is refused in the call', async ({ mp }) => {
      const [left, right] = mp.pipe()
      await expect(left.send({ onDone: () => {} })).rejects.toBeInstanceOf(EncodeError)
      await left.send('fine')
      expect(await right.recv()).toBe('fine')
    })

    check('many messages in order, however slowly they are read', async ({ mp, start }) => {
      const [here, there] = mp.pipe<string>()
      const messages = Array.from({ length: 500 }, (_, index) => `${index}:${'x'.repeat(2_000)}`)
      await start(mp.process(sendAll<string>, [there, messages]))
      for (const message of messages) expect(await here.recv()).toBe(message)
    })

    check('a pipe that was destroyed rejects who waits on it', async ({ mp }) => {
      const [left, right] = mp.pipe<number>()
      const waiting = expect(right.recv()).rejects.toBeInstanceOf(StateError)
      await right.poll()
      await left.destroy()
      await waiting
    })
  })
}
