/** `skein host`: runs here what programs elsewhere start. */
import { hostname } from 'node:os'
import { parse } from 'node:path'
import { type Context, type Labels, TimeoutError } from '@skein/core'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { collect, collectLabel, integerOption } from '../options.ts'
import { waitingFor } from '../output/live.ts'
import { untilThere } from '../patience.ts'
import { describePlace, open, type PlaceOptions, refuseAlone, urlsOf } from '../place.ts'
import { type UntilSignal, untilSignal } from '../signals.ts'
import { warnOfRisks } from '../warning.ts'

interface HostOptions extends PlaceOptions {
  readonly slots?: number
  readonly label?: Labels
  readonly root?: string
  readonly allow?: readonly string[]
  readonly env?: readonly string[]
  readonly unsigned?: boolean
  readonly drain?: number
  readonly failFast?: boolean
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
    .option('--fail-fast', 'end with 1 if the server is not there; else it is waited for')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<HostOptions>()
      const { slots, label: labels, root, allow, env, unsigned, failFast = false } = options
      refuseAlone('host', options)
      checkRoot(root)
      const attempt = (): Promise<Context> => open(options, { serve: { slots, labels, root, allow, env, unsigned } })
      const ended = untilSignal({ hangup: true })
      const mp = await orLeave(failFast ? attempt() : untilThere(attempt), ended.signal)
      try {
        await serve(mp, options, ended)
      } finally {
        await mp.close()
      }
    })
}

/** As long as nothing is served there is nothing to bring to an end. As the first process of a container it must leave by itself. */
async function orLeave(opened: Promise<Context>, signal: AbortSignal): Promise<Context> {
  const leave = (): never => process.exit(0)
  signal.addEventListener('abort', leave)
  try {
    return await opened
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** A service manager starts programs in the root of the file system unless it is told otherwise. */
function checkRoot(root: string | undefined): void {
  const here = process.cwd()
  if (root === undefined && here === parse(here).root) {
    throw new Failure(
      2,
      `the working directory is ${here}, with all files of this machine; say with --root whose are run`,
    )
  }
}

async function serve(mp: Context, options: HostOptions, ended: UntilSignal): Promise<void> {
  if (mp.kind === 'local') {
    throw new Failure(2, 'host runs what comes over Redis; give --url redis://host:6379, or set SKEIN_URL')
  }
  const { slots = 'any number of', drain } = options
  const where = `${describePlace(options, mp)}, as ${hostname()} (pid ${process.pid})`
  process.stderr.write(`Serving ${where}, ${slots} at once. Ctrl-C ends it.\n`)
  warnOfRisks(urlsOf(options))
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
