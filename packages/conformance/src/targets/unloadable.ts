/** A module that only the main program can load. */
import { isMainProcess } from '@skein/core'

if (!isMainProcess) throw new RangeError('this module loads in the main program only')

export function neverRuns(): void {}
