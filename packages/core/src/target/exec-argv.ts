/** Which of this process's own Node options its children take over: loaders and limits, not what concerns one process alone. */

/** Debugger ports, test runner, watch mode: whole families of options. */
const OWN_FAMILIES = ['--inspect', '--test', '--experimental-test-', '--watch', '--build-snapshot'] as const

/** Code or a task given on the command line. */
const OWN = new Set([
  '-c',
  '-e',
  '-i',
  '-p',
  '-pe',
  '--check',
  '--debug-port',
  '--eval',
  '--experimental-sea-config',
  '--input-type',
  '--interactive',
  '--print',
  '--run',
])

/** Of the above, those whose value may be the next argument. */
const WITH_VALUE = new Set([
  '-e',
  '-pe',
  '--eval',
  '--inspect-port',
  '--debug-port',
  '--inspect-publish-uid',
  '--input-type',
  '--run',
  '--build-snapshot-config',
  '--experimental-sea-config',
  '--experimental-test-isolation',
  '--test-concurrency',
  '--test-coverage-branches',
  '--test-coverage-exclude',
  '--test-coverage-functions',
  '--test-coverage-include',
  '--test-coverage-lines',
  '--test-global-setup',
  '--test-isolation',
  '--test-name-pattern',
  '--test-random-seed',
  '--test-reporter',
  '--test-reporter-destination',
  '--test-rerun-failures',
  '--test-shard',
  '--test-skip-pattern',
  '--test-timeout',
  '--watch-kill-signal',
  '--watch-path',
])

/** The value of `-p` and `--print` may be missing: the code is then standard input. */
const WITH_OPTIONAL_VALUE = new Set(['-p', '--print'])

function isOwn(argument: string): boolean {
  return OWN.has(argument) || OWN_FAMILIES.some((prefix) => argument.startsWith(prefix))
}

/** `process.execArgv` without the options that concern one process alone. */
export function childExecArgv(execArgv: readonly string[] = process.execArgv): string[] {
  const kept: string[] = []
  for (let i = 0; i < execArgv.length; i += 1) {
    const argument = execArgv[i] ?? ''
    // Node takes underscores for dashes in option names.
    const [name = ''] = argument.replaceAll('_', '-').split('=', 1)
    if (!isOwn(name)) {
      kept.push(argument)
      continue
    }
    if (argument.includes('=')) continue
    const next = execArgv[i + 1]
    if (WITH_VALUE.has(name) || (WITH_OPTIONAL_VALUE.has(name) && next !== undefined && !next.startsWith('-'))) i += 1
  }
  return kept
}
