/** Clocks. */

// Both read the machine's monotonic clock, and only one of them makes no array.
const [seconds, nanoseconds] = process.hrtime()
const origin = seconds * 1e3 + nanoseconds / 1e6 - performance.now()

/** Milliseconds on the machine's monotonic clock: comparable between all processes of one machine, untouched by changes of the date. */
export function monotonic(): number {
  return origin + performance.now()
}

/** Microseconds since 1970, a safe integer until the year 2255. */
export function wallMicroseconds(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000)
}
