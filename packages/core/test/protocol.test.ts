/** What programs say to each other does not change unnoticed. */
import { createHash } from 'node:crypto'
import { encode, handleRef, op, PROTOCOL, VERSION } from '@skein/core/adapter'
import { TimeoutError } from '@skein/core'
import { expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }

/** One of each kind that crosses. */
function values(): unknown[] {
  const error = new TypeError('wrong', { cause: new TimeoutError('late', { retryable: true }) })
  const all = new AggregateError([error], 'all')
  // Where this file is differs.
  for (const one of [all, error, error.cause as Error]) one.stack = ''
  const same = { in: 'it' }
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  return [
    [undefined, null, true, false, 0, -0, 1, -1, 127, 128, 65_536, 2 ** 40, 1.5, NaN, Infinity, -Infinity],
    [10n ** 30n, -1n, '', 'text', 'ü'.repeat(300)],
    [new Map([['a', 1]]), new Set([1]), new Date(0), /x/giu, new URL('http://a.b/c')],
    [
      new Uint8Array([1, 2]),
      new Float64Array([1.5]),
      new Uint8Array([7]).buffer,
      Buffer.from('b'),
      new DataView(new ArrayBuffer(2)),
    ],
    [same, same, cycle, Array(3), all],
    { [handleRef]: { kind: 'queue', name: '~x-1', namespace: 'n', scope: 's', program: 'p' } },
  ]
}

test('frames and encoded values are those that this protocol stands for', () => {
  const digest = createHash('sha256').update(JSON.stringify(op)).update(encode(values())).digest('hex').slice(0, 16)
  const mend =
    'what programs say to each other has changed: raise PROTOCOL (wire/protocol.ts) if the release before would misread it, then put the new digest here'
  expect({ protocol: PROTOCOL, digest }, mend).toEqual({ protocol: 2, digest: 'e3d27dd4467f01d2' })
})

test('the version is that of the package', () => {
  expect(VERSION).toBe(manifest.version)
})
