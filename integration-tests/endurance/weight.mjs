/** What a program's threads hold in memory when all garbage is gone. The supervisor's thread is asked by a probe that is loaded into it. */
import { once } from 'node:events'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { weightOfThread } from './probe.mjs'

const threads = createRequire(import.meta.url)('node:worker_threads')
const probe = new URL('probe.mjs', import.meta.url).href

/** To be called before anybody else loads `node:worker_threads`. */
export function probeThreads() {
  threads.Worker = class extends threads.Worker {
    /**
     * @param {string | URL} file
     * @param {import('node:worker_threads').WorkerOptions} [options]
     */
    constructor(file, options = {}) {
      super(file, { ...options, execArgv: [...(options.execArgv ?? []), '--import', probe] })
    }
  }
  syncBuiltinESMExports()
}

/** Bytes. */
export async function weigh() {
  const channel = new BroadcastChannel('weight')
  try {
    const answer = once(channel, 'message')
    const post = channel.postMessage.bind(channel)
    post('weigh')
    const [{ data }] = await answer
    return { main: await weightOfThread(), supervisor: Number(data) }
  } finally {
    channel.close()
  }
}
