/** One of three processes leads. When it is killed, another one does, under a larger token. */
import { connect, isMainProcess } from '@skein/core'
import type { Election, Queue } from '@skein/core'

interface Reign {
  readonly name: string
  readonly token: number
}

export async function candidate(name: string, post: Election, reigns: Queue<Reign>): Promise<void> {
  await post.run(async (lease) => {
    await reigns.put({ name, token: lease.token })
    // What a leader does, it does until it is no leader any more.
    await new Promise((resolve) => lease.signal.addEventListener('abort', resolve))
  })
}

if (isMainProcess) {
  const mp = await connect()
  const post = mp.election('captain')
  const reigns = mp.queue<Reign>()
  const crew = new Map(['Ann', 'Ben', 'Cem'].map((name) => [name, mp.process(candidate, [name, post, reigns])]))
  for (const member of crew.values()) await member.start()

  let last = 0
  for (let reign = 1; reign <= 3; reign += 1) {
    const { name, token } = await reigns.get()
    console.log(`Captain ${reign} leads; the token has risen: ${token > last}`)
    last = token
    await crew.get(name)?.kill()
  }
  console.log(`Who leads now: ${(await post.leader()) === null ? 'nobody is left' : 'somebody'}`)
  await post.destroy()
  await mp.close()
}
