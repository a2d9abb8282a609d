// One wrong call, chosen by the first argument, which nobody catches.
import { connect, isMainProcess } from '@skein/core'
import type { Lock } from '@skein/core'

export function use(lock: Lock, options: { label: string; onDone?: () => void }): void {
  void lock
  console.log(options.label)
}

function notExported(): void {}

if (isMainProcess) {
  const mp = await connect()
  const lock = mp.lock()
  const queue = mp.queue<number>()
  const wrong: Record<string, () => unknown> = {
    closure: () => mp.process(() => console.log('inline')).start(),
    'not-exported': () => mp.process(notExported).start(),
    'function-inside': () => mp.process(use, [lock, { label: 'x', onDone: () => {} }]),
    option: () => queue.get(JSON.parse('{ "timout": 5 }') as { timeout?: number }),
    'after-close': async () => {
      await mp.close()
      await queue.put(1)
    },
    url: () => connect('gopher://localhost'),
  }
  await wrong[process.argv[2] ?? '']?.()
}
