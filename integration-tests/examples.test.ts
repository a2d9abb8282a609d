/** The examples print what they say. */
import { join } from 'node:path'
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Program } from './support/program.ts'

const folder = join(import.meta.dirname, '..', 'examples')

const outputs: Readonly<Record<string, string>> = {
  '01-process.ts': 'Hello from another process!\n',
  '02-arguments.ts': '3\n',
  '03-queue.ts': 'hello\n',
  '04-lock.ts': 'Start working…\nWork done!\n'.repeat(3),
  '05-pool.ts': '20\n[ 2, 4, 6, 8, 10 ]\n',
  '06-pipe.ts': 'HELLO\nTHROUGH\nTHE\nPIPE\nThe child heard: thanks\nThat was all.\n',
  '07-bull-board.ts': 'Start a Redis and set SKEIN_URL=redis://localhost:6379 to see a queue in bull-board.\n',
  '08-leader-election.ts':
    [1, 2, 3].map((n) => `Captain ${n} leads; the token has risen: true\n`).join('') +
    'Who leads now: nobody is left\n',
  '09-work-queue.ts':
    [1, 2, 3].map((n) => `${n} squared is ${n * n}\n`).join('') + 'nobody@nowhere 3 no such address: nobody@nowhere\n',
}

test('every example has its output here', () => {
  expect(Object.keys(outputs)).toEqual(
    readdirSync(folder)
      .filter((file) => file.endsWith('.ts'))
      .toSorted(),
  )
})

for (const [file, stdout] of Object.entries(outputs)) {
  test(`${file} prints what it says`, async () => {
    const program = new Program(file, { folder, env: { SKEIN_URL: 'local:' } })
    expect(await program.ended).toEqual({ code: 0, signal: null, stdout, stderr: '' })
  })
}
