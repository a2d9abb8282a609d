// The task that Piscina's threads run.
/** @param {number} n */
export default function increment(n) {
  return n + 1
}
