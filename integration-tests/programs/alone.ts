// Computes for ever, with a context of which it uses nothing but a lock.
import { connect } from '@skein/core'

const mp = await connect(undefined, { namespace: 'alone', sessionTtl: 30_000 })
await mp.lock('a').acquire()
console.log('ready')
for (;;);
