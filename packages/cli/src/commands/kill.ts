/** `skein kill`: ends a process, wherever it runs. */
import type { Context, ProcessInfo } from '@skein/core'
import type { Command } from 'commander'
import { choose, describe } from '../choose.ts'
import { Failure } from '../failure.ts'
import { integerOption } from '../options.ts'
import { waitingFor } from '../output/live.ts'
import { amongOthers, othersIn, type PlaceOptions } from '../place.ts'

interface KillOptions extends PlaceOptions {
  readonly signal: string
  readonly grace: number
}

const SIGNALS = ['TERM', 'INT', 'KILL'] as const

export function addKill(program: Command): void {
  program
    .command('kill')
    .argument('<process>', 'its id, the beginning of that, its pid or its name, as ps shows them')
    .description('ends a process, and waits until it has ended')
    .option('--signal <name>', 'TERM, INT or KILL', 'TERM')
    .option('--grace <ms>', 'after TERM, until KILL follows', integerOption('--grace', 0, 3_600_000), 5_000)
    .action(async (word: string, _, command: Command) => {
      const options = command.optsWithGlobals<KillOptions>()
      const signal = SIGNALS.find((name) => name === options.signal.toUpperCase().replace(/^SIG/, ''))
      if (signal === undefined) {
        throw new Failure(2, `--signal takes ${SIGNALS.join(', ')}, got ${JSON.stringify(options.signal)}`)
      }
      await amongOthers('kill', options, async (mp) => {
        const chosen = choose(word, await othersIn(mp), { namespace: mp.namespace, to: 'ended' })
        const exit = await waitingFor(`Waiting for ${describe(chosen)} to end`, end(mp, chosen, signal, options.grace))
        process.stdout.write(`${describe(chosen)} has ended: ${exit}\n`)
      })
    })
}

async function end(mp: Context, { id }: ProcessInfo, signal: (typeof SIGNALS)[number], grace: number): Promise<string> {
  const found = await mp.find(id)
  if (signal === 'TERM') await found.terminate({ grace })
  else await (signal === 'INT' ? found.interrupt() : found.kill())
  const exit = await found.join()
  return exit.signal ?? `exit code ${exit.exitCode}`
}
