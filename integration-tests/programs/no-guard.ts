// The mistake: the program has no `if (isMainProcess)` around its start, so the child would start a child, and so on.
import { connect } from '@skein/core'

export function greet(): void {
  console.log('hello')
}

const mp = await connect()
const child = mp.process(greet)
await child.start()
await child.join()
await mp.close()
