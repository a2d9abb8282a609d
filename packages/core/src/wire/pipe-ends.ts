/** A pipe is two queues, one a direction; how both halves of an adapter name them. */

/** Which end; end 0 sends into queue 0 and receives from queue 1. */
export type End = 0 | 1

/** The names of a pipe's two queues. */
export function inboxName(pipe: string, end: End): string {
  return `${pipe}>${end}`
}
