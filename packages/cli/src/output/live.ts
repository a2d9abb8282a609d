/** What changes in place, where a person watches: a screen that is drawn again and again, and a line that says what is waited for. */
import { createLogUpdate } from 'log-update'
import { bold, cut } from './table.ts'

/**
 * Draws until the signal aborts. The last screen stays.
 *
 * @param screen its lines; the first is its heading
 * @param interval milliseconds between two screens
 */
export async function redraw(
  screen: () => Promise<readonly string[]>,
  { interval, signal }: { readonly interval: number; readonly signal: AbortSignal },
): Promise<void> {
  const stdout = sized(process.stdout)
  const update = createLogUpdate(stdout)
  while (!signal.aborted) {
    const lines = await screen()
    if (signal.aborted) break
    const [heading = '', ...rest] = fitting(lines, stdout.rows - 1).map((line) => cut(line, stdout.columns))
    update([bold(heading, stdout), ...rest].join('\n'))
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, interval)
      signal.addEventListener('abort', done, { once: true })
      function done(): void {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
    })
  }
  update.done()
}

/** Some terminals do not say how large they are. */
function sized(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  stream.columns ||= 80
  stream.rows ||= 24
  return stream
}

/** A screen that is higher than the terminal could not be drawn over. */
function fitting(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines
  const kept = lines.slice(0, Math.max(1, rows - 1))
  return [...kept, `… ${lines.length - kept.length} more lines; a higher window shows them`]
}

/**
 * Says what is waited for as long as the work takes, on a terminal only, and wipes it out when it is over.
 *
 * @param delay milliseconds after which it is worth saying
 */
export async function waitingFor<R>(what: string, work: Promise<R>, delay = 300): Promise<R> {
  if (!process.stderr.isTTY) return work
  const update = createLogUpdate(sized(process.stderr))
  const since = Date.now()
  const show = (): void => update(`${what} (${Math.round((Date.now() - since) / 1_000)} s)`)
  let beat: NodeJS.Timeout | null = null
  const first = setTimeout(() => {
    show()
    beat = setInterval(show, 1_000)
  }, delay)
  try {
    return await work
  } finally {
    clearTimeout(first)
    if (beat !== null) clearInterval(beat)
    update.clear()
    update.done()
  }
}
