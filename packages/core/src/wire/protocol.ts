/** What programs speak with each other, and which Skein this is. */
import { createRequire } from 'node:module'

/**
 * Programs of one number understand each other, whatever their versions. It stands for all that one program tells another: frames and what is
 * in them, what the codec writes, starts and their claims, messages, jobs of open work. Raise it with any change that the release before would
 * misread; what it would pass over does not count.
 */
export const PROTOCOL: number = 2

/** The version of this package, and of those that are released with it. */
export const VERSION: string = versionHere()

function versionHere(): string {
  try {
    return (createRequire(import.meta.url)('../../package.json') as { readonly version: string }).version
  } catch {
    // A bundle has no such file.
    return 'unknown'
  }
}
