/** Tells whoever runs this program, on standard error, of what came from Redis and was ignored: once for each cause, and not without end. */

const MOST = 100

export class Warnings {
  readonly #told = new Set<string>()

  /** @param cause may be anything that a stranger has written */
  once(cause: string, sentence: string): void {
    if (this.#told.has(cause) || this.#told.size >= MOST) return
    this.#told.add(cause)
    process.stderr.write(`skein: ${printable(sentence)}\n`)
  }
}

/** What would move a terminal's cursor, or do worse. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?')
}
