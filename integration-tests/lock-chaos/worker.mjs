/**
 * A program of the chaos test: some of its flows run in the main program, others in children. Each takes the one lock again and
 * again, to read or to write where it knows both, and while it holds it writes lines to the history, each after `assertHeld()`. No line is
 * written in any other way.
 *
 * Lines: `E <pid> <flow> <token> <side>` entered, `W …` still there, `L …` leaves, `G …` told that it is lost, `X <pid> <flow> <why>` refused.
 */
import { existsSync, openSync, writeSync } from 'node:fs'
import process from 'node:process'
import { ConnectionError, connect, isMainProcess, LeaseLostError } from '@skein/core'

/** @typedef {{ history: string, stop: string, flows: number, hold: number, kind: 'lock' | 'rwlock' }} Plan */

/** @param {import('@skein/core').Lock | import('@skein/core').RWLock} lock @param {Plan} plan */
export async function contend(lock, plan) {
  // Lines of all processes in one file: the system puts each behind all that are there.
  const file = openSync(plan.history, 'a')
  const say = (what, flow, more) => writeSync(file, `${what} ${process.pid} ${flow} ${more}\n`)
  await Promise.all(Array.from({ length: plan.flows }, (_, flow) => run(lock, plan, flow, say)))
}

async function run(lock, { stop, hold, kind }, flow, say) {
  for (let turn = flow; !existsSync(stop); turn += 1) {
    const side = kind === 'rwlock' && turn % 3 > 0 ? 'read' : 'write'
    let lease
    try {
      lease = await (kind === 'rwlock' ? lock[side] : lock).acquire()
    } catch (error) {
      say('X', flow, error.stack.replaceAll('\n', ' | '))
      return
    }
    const about = `${lease.token} ${side}`
    try {
      write(lease, hold, (what) => say(what, flow, about))
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error
      say('G', flow, about)
    }
    await lease.release()
  }
}

/** Without a pause, so that who is stopped in here writes on when it is continued. */
function write(lease, hold, say) {
  const line = (what) => {
    lease.assertHeld()
    say(what)
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
  const lock = mp[own.kind]('chaos')
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
