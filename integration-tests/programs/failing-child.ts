// A child fails as its name says; the main program prints how it ended.
import { connect, isMainProcess } from '@skein/core'

export function throwsHere(): never {
  throw new RangeError('thrown by the target')
}

export async function rejectsUnheard(): Promise<void> {
  void Promise.reject(new SyntaxError('rejected and unheard'))
  await new Promise((resolve) => setTimeout(resolve, 60_000))
}

if (isMainProcess) {
  const mp = await connect()
  for (const target of [throwsHere, rejectsUnheard]) {
    const child = mp.process<[], unknown>(target)
    await child.start()
    const { exitCode, reason } = await child.join()
    console.log(target.name, exitCode, reason)
  }
  await mp.close()
}
