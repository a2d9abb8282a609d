// Skein beside CPython's multiprocessing and Piscina: one interleaved run, a table of ratios.
//
//   node benchmarks/run.mjs [--rounds N] [--only name,name] [--json]
//
// Each round runs every row once, ours and then theirs, each in a fresh process; a ratio compares the two neighbours, so that
// what else the machine does meets both. Exits 0 whatever the figures are: the marks say what they mean.
import { compare } from './compare.mjs'
import { rows } from './rows.mjs'
import { run } from './side.mjs'

const PYTHON_FACTS = 'import platform, multiprocessing as m; print(platform.python_version(), m.get_start_method())'

await compare(rows, async () => {
  const [version = '', startMethod = ''] = (await run('python3', ['-c', PYTHON_FACTS])).stdout.trim().split(' ')
  return { CPython: version === '' ? 'absent' : `${version}, ${startMethod} by default` }
})
