/** Tells whoever runs this program of messages that were not signed with its secret: once for each sender, and not without end. */

const MOST = 100

export class ForgeryWarning {
  readonly #told = new Set<string>()

  about(sender: string): void {
    if (this.#told.has(sender) || this.#told.size >= MOST) return
    this.#told.add(sender)
    process.stderr.write(
      `skein: a message that says it is from program ${sender} is not signed with this program's SKEIN_SECRET, and was ignored\n`,
    )
  }
}
