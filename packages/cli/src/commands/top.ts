/** `skein top`: all of it, live. */
import { type Context, SkeinError } from '@skein/core'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { integerOption } from '../options.ts'
import { redraw } from '../output/live.ts'
import { table } from '../output/table.ts'
import { amongOthers, describePlace, othersIn, type PlaceOptions } from '../place.ts'
import { untilSignal } from '../signals.ts'
import { hostColumns } from './hosts.ts'
import { isLock, lockColumns } from './locks.ts'
import { processColumns } from './ps.ts'
import { isQueue, queueColumns } from './queues.ts'

interface TopOptions extends PlaceOptions {
  readonly interval: number
}

export function addTop(program: Command): void {
  program
    .command('top')
    .description('processes, hosts, queues and locks, live; Ctrl-C ends it')
    .option('--interval <ms>', 'between two looks', integerOption('--interval', 100, 3_600_000), 1_000)
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<TopOptions>()
      if (!process.stdout.isTTY || options.json === true) {
        throw new Failure(2, 'top draws on a terminal; for programs there are ps, hosts, queues and locks with --json')
      }
      await amongOthers('top', options, async (mp) => {
        const ended = untilSignal()
        const where = describePlace(options, mp)
        await redraw(() => screen(mp, where), { interval: options.interval, signal: ended.signal })
        process.exitCode = ended.exitCode()
      })
    })
}

async function screen(mp: Context, where: string): Promise<string[]> {
  const heading = `skein top  ${new Date().toLocaleTimeString('en-GB')}  ${where}`
  try {
    const hosting = mp.kind === 'local' ? [] : mp.hosts()
    const [processes, hosts, { objects }] = await Promise.all([othersIn(mp), hosting, mp.inspect()])
    const queues = objects.filter(isQueue)
    const locks = objects.filter(isLock)
    return [
      heading,
      ...section('processes', processes.length, table(processes, processColumns)),
      ...section('hosts', hosts.length, table(hosts, hostColumns)),
      ...section('queues', queues.length, table(queues, queueColumns)),
      ...section('locks', locks.length, table(locks, lockColumns)),
    ]
  } catch (error) {
    // A store that is away may come back; whoever watches wants to see that, too.
    if (!(error instanceof SkeinError)) throw error
    return [heading, '', error.message]
  }
}

function section(what: string, count: number, lines: readonly string[]): string[] {
  return ['', `${count} ${what}`, ...(count === 0 ? [] : lines)]
}
