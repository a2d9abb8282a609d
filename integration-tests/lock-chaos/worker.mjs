/**
 * A program of the chaos test: some of its flows run in the main program, others in children. Each takes the one lock again and
 * again, and while it holds it writes lines to the history, each after `assertHeld()`. No line is written in any other way.
 *
 * Lines: `E <pid> <flow> <token>` entered, `W …` still there, `L …` leaves, `G …` told that it is lost, `X <pid> <flow> <why>` refused.
 */
import { existsSync, openSync, writeSync } from 'node:fs'
import process from 'node:process'
import { ConnectionError, connect, isMainProcess, LeaseLostError } from '@skein/core'

/** @typedef {{ history: string, stop: string, flows: number, hold: number }} Plan */

/** @param {import('@skein/core').Lock} lock @param {Plan} plan */
export async function contend(lock, plan) {
  // Lines of all processes in one file: the system puts each behind all that are there.
  const file = openSync(plan.history, 'a')
  const say = (what, flow, more) => writeSync(file, `${what} ${process.pid} ${flow} ${more}\n`)
  await Promise.all(Array.from({ length: plan.flows }, (_, flow) => run(lock, plan, flow, say)))
}

async function run(lock, { stop, hold }, flow, say) {
  while (!existsSync(stop)) {
    let lease
    try {
      lease = await lock.acquire()
    } catch (error) {
      say('X', flow, error.stack.replaceAll('\n', ' | '))
      return
    }
    try {
      write(lease, hold, flow, say)
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error
      say('G', flow, lease.token)
    }
    await lease.release()
  }
}

/** Without a pause, so that who is stopped in here writes on when it is continued. */
function write(lease, hold, flow, say) {
  const line = (what) => {
    lease.assertHeld()
    say(what, flow, lease.token)
  }
  line('E')
  const end = performance.now() + hold
  while (performance.now() < end) {
    const next = performance.now() + 1
    while (performance.now() < next);
    line('W')
  }
  line('L')
}

/** Programs and children need the first server; while it is away their successors wait for it. */
async function whenThere(begin) {
  for (;;) {
    try {
      return await begin()
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

if (isMainProcess) {
  const [, , urls, namespace, ttl, children, plan] = process.argv
  const own = JSON.parse(plan)
  const servers = urls.includes(',') ? urls.split(',') : urls
  const mp = await whenThere(() => connect(servers, { namespace, sessionTtl: Number(ttl) }))
  const lock = mp.lock('chaos')
  const kept = Array.from({ length: Number(children) }, async () => {
    // One that was killed has a successor.
    while (!existsSync(own.stop)) {
      const child = await whenThere(() => mp.process(contend, [lock, own]).start())
      console.log(`child ${child.pid}`)
      await child.join()
    }
  })
  console.log('ready')
  await Promise.all([contend(lock, { ...own, flows: 1 }), ...kept])
  await mp.close()
}
