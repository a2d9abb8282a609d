// A program whose processes write, and that reads what one of them does. Each line of its standard input has it write another line.
import process from 'node:process'
import { connect, isMainProcess } from '@skein/core'

export async function talk(words) {
  console.error('begins')
  for (let count = 1; ; count += 1) {
    await words.get()
    console.log(`line ${count}`)
  }
}

export async function chat() {
  for (;;) {
    console.log('chat')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Ends with more than is kept, and with no end of a line in it. */
export async function spill(words) {
  console.log('begun')
  await words.get()
  for (let count = 0; count < 400; count += 1) process.stdout.write('x'.repeat(1_000))
}

export const idle = () => new Promise(() => setInterval(() => undefined, 60_000))

if (isMainProcess) {
  const mp = await connect()
  const words = mp.queue()
  if (process.argv[2] === 'for-ever') {
    await mp.process(chat, [], { name: 'chatterbox', daemon: true, stdio: 'pipe' }).start()
  }
  const name = process.argv[2] === 'for-ever' ? 'other' : 'talker'
  const talker = mp.process(talk, [words], { name, daemon: true, stdio: 'pipe' })
  await talker.start()
  await mp.process(idle, [], { name: 'quiet', daemon: true }).start()
  const spills = mp.queue()
  if (process.argv[2] === 'spill') await mp.process(spill, [spills], { name: 'spiller', stdio: 'pipe' }).start()
  process.stdin.on('data', () => {
    void words.put('go on')
    void spills.put('go')
  })
  await words.putMany(['go', 'go', 'go'])
  let count = 0
  for await (const _ of talker.stdout) {
    count += 1
    console.log(`heard ${count}`)
  }
}
