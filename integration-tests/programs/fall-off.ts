// The main module ends without closing anything.
import { setTimeout as pause } from 'node:timers/promises'
import { connect, isMainProcess } from '@skein/core'
import type { Queue } from '@skein/core'

export async function work(words: Queue<string>): Promise<void> {
  const word = await words.get()
  await pause(200)
  console.log('worker:', word)
}

export async function idle(said: Queue<number>): Promise<void> {
  await said.put(process.pid)
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

if (isMainProcess) {
  const mp = await connect()
  const [words, said] = [mp.queue<string>(), mp.queue<number>()]
  await mp.process(work, [words]).start()
  await mp.process(idle, [said], { daemon: true }).start()
  console.log('daemon', await said.get())
  await words.put('done')
  console.log('main: over')
}
