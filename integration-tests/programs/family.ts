// Starts one child of each kind, says all process ids, and then does what its first argument says.
import { connect, currentProcess, isMainProcess } from '@skein/core'
import type { Queue } from '@skein/core'

export async function idle(said: Queue<number>): Promise<void> {
  await said.put(process.pid)
  setInterval(() => {}, 60_000)
  await new Promise(() => {})
}

export async function spin(said: Queue<number>): Promise<void> {
  await said.put(process.pid)
  for (;;);
}

/** Hears every signal that can be heard, says so once, and stays. */
export async function ignore(said: Queue<number>): Promise<void> {
  const { signal } = currentProcess()
  process.on('SIGTERM', () => {})
  process.on('SIGINT', () => {})
  signal.addEventListener('abort', () => console.log('asked to end'), { once: true })
  await idle(said)
}

export async function parent(said: Queue<number>): Promise<void> {
  const { context } = currentProcess()
  if (context === null) throw new Error('a child has a context')
  for (const target of [idle, spin]) await context.process(target, [said]).start()
  await idle(said)
}

const kinds = { idle: [idle], plain: [idle, spin, parent], all: [idle, spin, ignore, parent], ignore: [ignore] }

if (isMainProcess) {
  const [end = 'wait', kind = 'all'] = process.argv.slice(2)
  const mp = await connect()
  const said = mp.queue<number>()
  const targets = kinds[kind as keyof typeof kinds]
  for (const target of targets) await mp.process(target, [said]).start()
  const pids: number[] = []
  while (pids.length < targets.length + (kind === 'all' || kind === 'plain' ? 2 : 0)) pids.push(await said.get())
  console.log('ready', ...pids)
  if (end === 'exit') process.exit(3)
  if (end === 'throw') throw new Error('the main program threw')
  if (end === 'reject') void Promise.reject(new Error('the main program rejected'))
  if (end === 'spin') for (;;);
  if (end === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  if (end === 'listen') {
    process.on('SIGINT', () => {
      process.kill(pids[0] as number, 0)
      console.log('heard with its child')
      process.exit(0)
    })
    const began = Date.now()
    while (Date.now() - began < 2_500);
  }
  await new Promise(() => {})
}
