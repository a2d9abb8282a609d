/**
 * Ctrl-C and SIGTERM of a command that runs until then. SIGHUP is left to the system, which ends the program: a Node that ends by itself when its
 * terminal is gone aborts on the way (seen on 20.20).
 */

const CODES = { SIGINT: 130, SIGTERM: 143 } as const

type Ending = keyof typeof CODES

export interface UntilSignal {
  /** Aborts at the first signal. A second one ends the program at once. */
  readonly signal: AbortSignal
  /** 128 plus the signal's number, as shells report it; 0 before. */
  exitCode(): number
}

export function untilSignal(): UntilSignal {
  const controller = new AbortController()
  let code = 0
  for (const name of Object.keys(CODES) as Ending[]) {
    process.on(name, () => {
      if (code !== 0) process.exit(CODES[name])
      code = CODES[name]
      controller.abort()
    })
  }
  return { signal: controller.signal, exitCode: () => code }
}
