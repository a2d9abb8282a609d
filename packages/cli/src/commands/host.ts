/** `skein host`: runs here what programs elsewhere start. */
import { hostname } from 'node:os'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { integerOption } from '../options.ts'
import { amongOthers, describePlace, type PlaceOptions } from '../place.ts'
import { untilSignal } from '../signals.ts'

interface HostOptions extends PlaceOptions {
  readonly slots?: number
}

export function addHost(program: Command): void {
  program
    .command('host')
    .description('runs on this machine what programs elsewhere start; Ctrl-C or SIGTERM ends it')
    .option('--slots <n>', 'how many processes at once; default: any number', integerOption('--slots', 1, 10_000))
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<HostOptions>()
      const { slots } = options
      await amongOthers(
        'host',
        options,
        async (mp) => {
          if (mp.kind === 'local') {
            throw new Failure(2, 'host runs what comes over Redis; give --url redis://host:6379, or set SKEIN_URL')
          }
          const ended = untilSignal()
          const many = slots === undefined ? 'any number of processes' : `at most ${slots} processes`
          process.stderr.write(
            `Serving ${describePlace(options, mp)}, as ${hostname()} (pid ${process.pid}): ${many}.\n`,
          )
          await Promise.race([aborted(ended.signal), aborted(mp.lost)])
          if (!ended.signal.aborted) throw mp.lost.reason
        },
        { serve: slots === undefined ? true : { slots } },
      )
    })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
