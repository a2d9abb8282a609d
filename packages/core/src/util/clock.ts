/** Clocks. */

/** Milliseconds on the machine's monotonic clock: comparable between all processes of one machine, untouched by changes of the date. */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

/** Microseconds since 1970, a safe integer until the year 2255. */
export function wallMicroseconds(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000)
}
