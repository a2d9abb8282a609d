/** What `skein` does with its command line: finds the command, and turns whatever goes wrong into one sentence and an exit code. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addHost } from './commands/host.ts'
import { addHosts } from './commands/hosts.ts'
import { addKill } from './commands/kill.ts'
import { addLocks } from './commands/locks.ts'
import { addLogs } from './commands/logs.ts'
import { addPs } from './commands/ps.ts'
import { addQueues } from './commands/queues.ts'
import { addRun } from './commands/run.ts'
import { addTop } from './commands/top.ts'
import { collect } from './options.ts'
import { exitCodeOf, Failure, sentenceOf } from './failure.ts'

const AFTER = `
Where: --url, else the environment variable SKEIN_URL. Exit codes: 0 done, 1 failed, 2 the command line was wrong,
130 and 143 ended by Ctrl-C or SIGTERM; of run that of the process.`

/** Never rejects. */
export async function main(words: readonly string[]): Promise<void> {
  process.stdout.on('error', (error) => onUnwritten(error, 'standard output'))
  process.stderr.on('error', (error) => onUnwritten(error, 'standard error'))
  try {
    checkDirectory()
    await skein().parseAsync(words.length === 0 ? ['--help'] : [...words], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has said what was wrong, or shown what was asked for.
      process.exitCode = error.exitCode === 0 ? 0 : 2
      return
    }
    process.stderr.write(`skein: ${sentenceOf(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}

function skein(): Command {
  const program = new Command('skein')
  program
    .description('Who runs, who holds, who waits in the programs that use Skein, and running work in them.')
    .option('--url <url>', 'redis://host:6379, or local:NAME; several times: independent servers', collect)
    .option('--namespace <name>', 'default: skein')
    .option('--json', 'for programs: one JSON value')
    .version(version(), '--version', 'its version')
    .helpOption('--help', 'this text, or that of a command')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, subcommandTerm: termOf })
    .configureOutput({ outputError: (text, write) => write(`skein: ${oneSentence(text)}\n`) })
    .addHelpText('after', AFTER)
    .exitOverride()
  for (const add of [addPs, addLocks, addQueues, addHosts, addTop, addLogs, addKill, addRun, addHost]) add(program)
  return program
}

function termOf(command: Command): string {
  return [command.name(), command.usage().replace('[options] ', '').replace('[options]', '')].join(' ').trim()
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { readonly version: string }).version
}

/** Commander's complaint in one line, with what to do if it does not know. */
function oneSentence(text: string): string {
  const [said = '', ...hints] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n')
  const hint = hints.join(' ').replace('(Did', '(did')
  if (said.startsWith('too many arguments'))
    return `${said.replace(/\. Expected (\d+) .*$/, ', it takes $1')}; see skein --help`
  return hint === '' ? `${said}; see skein --help` : `${said} ${hint}`
}

/** Whoever reads may have seen enough (`skein ps | head -1`), and a terminal may have been closed. */
function onUnwritten(error: NodeJS.ErrnoException, where: string): void {
  if (error.code === 'EPIPE' || error.code === 'EIO' || process.exitCode === 1) return
  process.exitCode = 1
  process.stderr.write(`skein: ${where} cannot be written to (${error.message})\n`)
}

/** Paths are meant from there, and what is started begins there. */
function checkDirectory(): void {
  try {
    process.cwd()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const { PWD = '' } = process.env
    const path = PWD === '' ? '' : ` ${PWD}`
    throw new Failure(1, `the working directory${path} cannot be entered (${code}); change to one that is there`)
  }
}
