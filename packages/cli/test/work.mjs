// What the tests run by `skein run`.
import process from 'node:process'

export const add = (a, b) => a + b
export const shape = () => ({ kind: 'circle', radius: 2 })
export const map = () => ({ seen: new Map([['a', 1]]) })
export const shout = (text) => console.log(text.toUpperCase())
export const fail = () => {
  throw new RangeError('there is no such invoice')
}
export const leave = (code) => process.exit(code)
export const die = () => process.kill(process.pid, 'SIGKILL')
export const parent = () => process.ppid
export const stay = () => {
  console.log(process.pid)
  setInterval(() => undefined, 60_000)
  return new Promise(() => undefined)
}
export const nap = async (ms) => {
  console.log('begun')
  await new Promise((resolve) => setTimeout(resolve, ms))
  return 'slept'
}
