/** What the processes and pools of the endurance run do: hardly anything. */

export function nothing() {}

/** @param {number} value */
export function double(value) {
  return value * 2
}
