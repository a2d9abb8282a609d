/** A module that keeps a function to itself. */
import type { Target } from '@skein/core'

export function alsoExported(): string {
  return 'anybody can call this'
}

function keptBack(): string {
  return 'nobody can call this from outside'
}

/** Hands out the function that is not exported. */
export function notExported(): Target<[], string> {
  return keptBack
}
