/** `skein logs`: what a process writes, wherever it runs. */
import type { LogLine } from '@skein/core'
import type { Command } from 'commander'
import { choose } from '../choose.ts'
import { integerOption } from '../options.ts'
import { amongOthers, othersIn, type PlaceOptions } from '../place.ts'
import { untilSignal } from '../signals.ts'

interface LogsOptions extends PlaceOptions {
  readonly follow?: boolean
  readonly tail?: number
}

export function addLogs(program: Command): void {
  program
    .command('logs')
    .argument('<process>', 'its id, the beginning of that, its pid or its name, as ps shows them')
    .description('what a process has written lately, each stream to the one of its name')
    .option('-f, --follow', 'goes on with what it writes until it has ended, or Ctrl-C')
    .option('--tail <n>', 'the last lines of what is kept; default: all of it', integerOption('--tail', 0, 1_000_000))
    .action(async (word: string, _, command: Command) => {
      const options = command.optsWithGlobals<LogsOptions>()
      const { follow, tail, json = false } = options
      await amongOthers('logs', options, async (mp) => {
        const { id } = choose(word, await othersIn(mp), { namespace: mp.namespace, to: 'read' })
        const found = await mp.find(id)
        const ended = untilSignal()
        const signal = AbortSignal.any([ended.signal, unread()])
        try {
          for await (const line of found.logs({ tail, follow, signal })) write(line, json)
        } catch (error) {
          if (!signal.aborted) throw error
        }
        process.exitCode = ended.exitCode()
      })
    })
}

/** Aborts when whoever read what this command prints has seen enough. */
function unread(): AbortSignal {
  const controller = new AbortController()
  process.stdout.once('error', () => controller.abort())
  return controller.signal
}

function write({ stream, text, dropped }: LogLine, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ stream, text, dropped })}\n`)
    return
  }
  if (dropped > 0) process.stderr.write(`skein: ${dropped} bytes are missing here, gone before they were read\n`)
  // After the last line, it tells that alone.
  if (dropped > 0 && stream === 'stderr' && text === '') return
  process[stream].write(`${text}\n`)
}
