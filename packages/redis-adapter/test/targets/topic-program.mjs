/** A program of its own: says when it listens, publishes 1, hears two messages and says them. */
import { connect } from '@skein/core'

const [, , url, namespace] = process.argv
const mp = await connect(url, { namespace, sessionTtl: 500 })
const topic = mp.topic('news')
const loop = topic[Symbol.asyncIterator]()
await topic.publish(1)
const heard = [(await loop.next()).value, (await loop.next()).value]
await loop.return()
await mp.close()
console.log(JSON.stringify(heard))
