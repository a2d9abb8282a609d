// The package that both machines have: what they call it by is its name and the path in it.
import process from 'node:process'

export function count(text) {
  return text.split(' ').length
}

export function report() {
  console.log('Hello from the other machine!')
  return process.cwd()
}
