/** `skein host`: runs here what programs elsewhere start. */
import { hostname } from 'node:os'
import { type Context, type Labels, TimeoutError } from '@skein/core'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { collect, collectLabel, integerOption } from '../options.ts'
import { waitingFor } from '../output/live.ts'
import { amongOthers, describePlace, type PlaceOptions } from '../place.ts'
import { untilSignal } from '../signals.ts'

interface HostOptions extends PlaceOptions {
  readonly slots?: number
  readonly label?: Labels
  readonly root?: string
  readonly allow?: readonly string[]
  readonly env?: readonly string[]
  readonly unsigned?: boolean
  readonly drain?: number
}

export function addHost(program: Command): void {
  program
    .command('host')
    .description('runs on this machine what programs elsewhere start; Ctrl-C or SIGTERM ends it')
    .option('--slots <n>', 'how many processes at once; default: any number', integerOption('--slots', 1, 10_000))
    .option('--label <key=value>', 'what this host is or has; several times: several labels', collectLabel)
    .option('--root <folder>', 'whose functions it runs; default: the working directory')
    .option('--allow <glob>', 'further files, from the root on; several times', collect)
    .option('--env <name>', 'a variable that what it runs gets, too; several times', collect)
    .option(
      '--unsigned',
      'beyond this machine, without SKEIN_SECRET: whoever can write to that Redis can run these functions',
    )
    .option(
      '--drain <ms>',
      'how long what runs may go on when this is to end; default: to its end',
      integerOption('--drain', 0, 86_400_000),
    )
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<HostOptions>()
      const { slots, label: labels, root, allow, env, unsigned } = options
      await amongOthers('host', options, (mp) => serve(mp, options), {
        serve: { slots, labels, root, allow, env, unsigned },
      })
    })
}

async function serve(mp: Context, options: HostOptions): Promise<void> {
  if (mp.kind === 'local') {
    throw new Failure(2, 'host runs what comes over Redis; give --url redis://host:6379, or set SKEIN_URL')
  }
  const ended = untilSignal()
  const { slots = 'any number of', drain } = options
  const where = `${describePlace(options, mp)}, as ${hostname()} (pid ${process.pid})`
  process.stderr.write(`Serving ${where}, ${slots} at once. Ctrl-C ends it.\n`)
  await Promise.race([aborted(ended.signal), aborted(mp.lost)])
  if (!ended.signal.aborted) throw mp.lost.reason
  try {
    const drained = mp.drain(drain === undefined ? {} : { timeout: drain })
    await waitingFor('Taking nothing more; waiting for what runs to end. Once more ends it now', drained)
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error
    process.stderr.write(`What still ran after ${drain} ms is ended.\n`)
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
