// Connects to the server of its argument and has a child take a lock; says so, or why not.
import { connect } from '@skein/core'
import { take } from './take-child.mjs'

try {
  const mp = await connect(process.argv[2])
  const child = await mp.process(take, [mp.lock()]).start()
  console.log('took', await child.result())
  await mp.close()
} catch (error) {
  console.log('refused', error.name, error.message)
}
