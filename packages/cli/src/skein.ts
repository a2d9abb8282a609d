#!/usr/bin/env node
/** The command `skein`. A Node that is too old for it is told so by this file, which it can still read. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`skein: needs Node 20.19 or later, and this is ${process.versions.node}\n`)
  process.exitCode = 1
} else {
  const { main } = await import('./main.ts')
  await main(process.argv.slice(2))
}
