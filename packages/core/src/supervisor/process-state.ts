/** Whether processes are stopped: a stopped one holds nothing for long, one that computes may. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Stopped by a signal or a debugger, or ended and not yet reaped. */
const STOPPED = /^[TtZXx]/

/**
 * Those of the processes that are stopped or gone. Where nobody can tell, none: they keep what they hold until `stallLimit`.
 *
 * @param told perhaps called before this returns
 */
export function stoppedOf(pids: readonly number[], told: (stopped: ReadonlySet<number>) => void): void {
  if (process.platform === 'linux') told(new Set(pids.filter((pid) => isStoppedOnLinux(pid))))
  else if (process.platform === 'win32') told(new Set())
  else askPs(pids, told)
}

function isStoppedOnLinux(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in parentheses, which may hold anything.
    return STOPPED.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

function askPs(pids: readonly number[], told: (stopped: ReadonlySet<number>) => void): void {
  execFile('ps', ['-o', 'pid=,state=', '-p', pids.join(',')], { timeout: 1_000 }, (error, output) => {
    // It fails, too, if none of them is there any more; their exits say so in a moment.
    if (error !== null) {
      told(new Set())
      return
    }
    const states = output.split('\n').map((line) => line.trim().split(/\s+/))
    told(new Set(states.filter(([, state = '']) => STOPPED.test(state)).map(([pid]) => Number(pid))))
  })
}
