// Computes for ever, with a context of which it uses nothing but a lock.
import { connect } from '@skein/core'

const mp = await connect()
await mp.lock().acquire()
console.log('ready')
for (;;);
