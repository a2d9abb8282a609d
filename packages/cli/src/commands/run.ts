/** `skein run`: calls an exported function in a process, and prints what it returns. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { type ExitStatus, type Labels, type Process, targetsOf } from '@skein/core'
import type { Command } from 'commander'
import { constants } from 'node:os'
import { Failure } from '../failure.ts'
import { collectLabel } from '../options.ts'
import { checkJson, printJson } from '../output/json.ts'
import { cut } from '../output/table.ts'
import { waitingFor } from '../output/live.ts'
import { inContext, type PlaceOptions } from '../place.ts'

interface RunOptions extends PlaceOptions {
  readonly elsewhere?: boolean
  readonly host?: string
  readonly label?: Labels
}

/** Of a word that is wrong, no more is shown; characters. */
const LONGEST = 100

type AnyTargets = Readonly<Record<string, (...args: unknown[]) => unknown>>

export function addRun(program: Command): void {
  program
    .command('run')
    .argument('<module#export>', 'a file, and the name of a function that it exports')
    .argument('[args...]', 'its arguments, each as JSON; -- before one that begins with -')
    .description('calls an exported function in a process, and prints what it returns')
    .option('--elsewhere', 'in a program that serves, such as skein host, and not here')
    .option('--host <name>', 'on that machine')
    .option('--label <key=value>', 'where a program serves that has it; several times: all of them', collectLabel)
    .action(async (target: string, words: readonly string[], _, command: Command) => {
      const options = command.optsWithGlobals<RunOptions>()
      const { file, name } = readTarget(target)
      const args = words.map(readArgument)
      const { elsewhere = false, host, label: labels } = options
      await inContext(options, elsewhere ? { serve: false } : {}, async (mp) => {
        if (mp.kind === 'local' && (elsewhere || host !== undefined || labels !== undefined)) {
          const asked = elsewhere ? '--elsewhere' : host === undefined ? '--label' : '--host'
          throw new Failure(
            2,
            `on local: everything runs here, so ${asked} needs Redis; give --url redis://host:6379, or set SKEIN_URL`,
          )
        }
        const fn = targetsOf<AnyTargets>(pathToFileURL(file))[name] as (...args: unknown[]) => unknown
        const child = mp.process(fn, args, { host, labels })
        await waitingFor(`Waiting for ${target} to start`, child.start(), 1_000)
        await tell(child, await child.join(), options.json ?? false)
      })
    })
}

async function tell(child: Process<unknown>, exit: ExitStatus, json: boolean): Promise<void> {
  if (exit.reason !== 'returned') {
    // What it threw stands on its standard error, which is ours.
    process.exitCode = codeOf(exit)
    if (exit.reason === 'host-lost')
      throw new Failure(1, 'the host that ran it is gone, and nobody knows how far it came')
    if (exit.signal !== null) process.stderr.write(`skein: the process was ended by ${exit.signal}\n`)
    return
  }
  const result = await child.result()
  if (json) {
    checkJson(result ?? null, 'the result')
    printJson(result ?? null)
  } else if (result !== undefined) process.stdout.write(`${typeof result === 'string' ? result : inspect(result)}\n`)
}

/** As a shell has it: 128 plus the number of a signal. */
function codeOf({ exitCode, signal }: ExitStatus): number {
  return signal === null ? (exitCode ?? 1) : 128 + constants.signals[signal]
}

function readTarget(word: string): { readonly file: string; readonly name: string } {
  const [, file, name] = /^(.+)#([^#]+)$/.exec(word) ?? []
  if (file === undefined || name === undefined) {
    throw new Failure(2, `run takes module#export, as in work.js#resize, got ${JSON.stringify(word)}`)
  }
  return { file: resolve(file), name }
}

function readArgument(word: string, index: number): unknown {
  try {
    return JSON.parse(word) as unknown
  } catch {
    throw new Failure(
      2,
      `argument ${index + 1} of the function is no JSON: ${cut(word, LONGEST)}; a text is written '"${cut(word, LONGEST)}"'`,
    )
  }
}
