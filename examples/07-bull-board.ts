// On Redis a queue is a BullMQ queue, so bull-board shows its items. This one runs until Ctrl-C.
import { once } from 'node:events'
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serve } from '@hono/node-server'
import { serveStatic } from '@hono/node-server/serve-static'
import { connect } from '@skein/core'
import { Queue } from 'bullmq'

const url = process.env['SKEIN_URL'] ?? ''

if (/^rediss?:/.test(url)) {
  const mp = await connect(url)
  const orders = mp.queue<{ fruit: string; kilos: number }>('orders')
  await orders.put({ fruit: 'pear', kilos: 3 })
  await orders.put({ fruit: 'plum', kilos: 1 })

  // What BullMQ calls it. The board looks on: it leaves the queue's settings alone.
  // On a cluster BullMQ wants `connection: new Cluster([url])`, with ioredis' Cluster.
  const prefix = `{${mp.namespace}:queue:${orders.name}}`
  const bull = new Queue('q', { prefix, connection: { url }, skipMetasUpdate: true })
  const board = new HonoAdapter(serveStatic)
  createBullBoard({ queues: [new BullMQAdapter(bull, { displayName: orders.name })], serverAdapter: board })
  const server = serve({ fetch: board.registerPlugin().fetch, hostname: 'localhost', port: 0 }, ({ port }) => {
    console.log(`Open http://localhost:${port}`)
  })

  await once(process, 'SIGINT')
  await once(server.close(), 'close')
  await bull.close()
  await orders.destroy()
  await mp.close()
} else {
  console.log('Start a Redis and set SKEIN_URL=redis://localhost:6379 to see a queue in bull-board.')
}
