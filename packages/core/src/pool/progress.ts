/** Tells a caller how far its map has come. */
import type { StreamProgress } from '../contract/pool.ts'
import type { Job } from './job.ts'

/** @param total `null`: not known yet */
export type ProgressReport = (job: Job, done: number, total: number | null) => void

/** @param giveUp called with what the caller's function threw: nobody else would hear of it */
export function progressReport(
  { onProgress }: { readonly onProgress?: ((progress: never) => unknown) | undefined },
  giveUp: (job: Job, error: unknown) => void,
): ProgressReport | null {
  if (onProgress === undefined) return null
  const call = onProgress as (progress: StreamProgress) => unknown
  return (job, done, total) => {
    try {
      const told = call({ done, total })
      if (told instanceof Promise) told.catch((error: unknown) => giveUp(job, error))
    } catch (error) {
      giveUp(job, error)
    }
  }
}
