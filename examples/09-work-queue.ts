// Workers say when an item is done; join() waits for all of them, and what fails too often is set aside.
import { connect, isMainProcess } from '@skein/core'
import type { JoinableQueue, Queue, Topic } from '@skein/core'

export async function work(jobs: JoinableQueue<number>, done: Topic<string>) {
  for (;;) {
    const job = await jobs.get()
    await done.publish(`${job} squared is ${job * job}`)
    await jobs.taskDone()
  }
}

export async function fail(mails: Queue<string>) {
  await mails.consume((mail) => {
    throw new Error(`no such address: ${mail}`)
  })
}

if (isMainProcess) {
  const mp = await connect()

  const jobs = mp.joinableQueue<number>()
  const done = mp.topic<string>('squares')
  const news = done[Symbol.asyncIterator]()
  await mp.process(work, [jobs, done], { daemon: true }).start()
  await jobs.putMany([1, 2, 3])
  await jobs.join()
  for (let count = 0; count < 3; count++) console.log((await news.next()).value)

  const mails = mp.queue<string>({ maxDeliveries: 3, backoff: { base: 10 } })
  await mp.process(fail, [mails], { daemon: true }).start()
  await mails.put('nobody@nowhere')
  await mails.join()
  for (const { value, attempts, reason } of await mails.deadLetters.list()) console.log(value, attempts, reason)

  await done.destroy()
  await mp.close()
}
