/**
 * Ctrl-C and SIGTERM of a command that runs until then. SIGHUP is left to the system, which ends the program: a Node that ends by itself when its
 * terminal is gone aborts on the way (seen on 20.20). So what has something to bring to an end before that is ended by it afterwards.
 */

const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

type Ending = keyof typeof CODES

export interface UntilSignal {
  /** Aborts at the first signal. A second one ends the program at once, unless it is SIGHUP, which comes from the shell and from the system. */
  readonly signal: AbortSignal
  /** 128 plus the signal's number, as shells report it; 0 before. */
  exitCode(): number
}

/** @param hangup whether SIGHUP is one, too */
export function untilSignal({ hangup = false }: { readonly hangup?: boolean } = {}): UntilSignal {
  const controller = new AbortController()
  let code = 0
  let hungUp = false
  const heard = (name: Ending): void => {
    if (name === 'SIGHUP') hungUp = true
    else if (code !== 0) process.exit(CODES[name])
    if (code === 0) code = CODES[name]
    controller.abort()
  }
  process.on('SIGINT', heard)
  process.on('SIGTERM', heard)
  if (hangup) {
    process.on('SIGHUP', heard)
    process.on('exit', () => {
      // Also where another one came first: the terminal is gone all the same.
      if (!hungUp) return
      // What puts the cursor back listens to it, too.
      process.removeAllListeners('SIGHUP')
      process.kill(process.pid, 'SIGHUP')
    })
  }
  return { signal: controller.signal, exitCode: () => code }
}
