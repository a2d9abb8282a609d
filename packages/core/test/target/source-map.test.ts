import { SourceMap } from 'node:module'
import { describe, expect, it } from 'vitest'
import { originalRange } from '../../src/target/source-map.ts'

// Two lines; the second one has segments at the columns 0, 4, 8 and 12 of both sides.
const payload = {
  version: 3,
  file: 'a.ts',
  names: [],
  sources: ['a.ts'],
  sourcesContent: [],
  sourceRoot: '',
  mappings: 'AAAA,KAAK;AACL,IAAI,IAAI,IAAI',
}

function dataUrl(map: object, encoding: 'base64' | 'percent' = 'base64'): string {
  const text = JSON.stringify(map)
  return encoding === 'base64'
    ? `data:application/json;charset=utf-8;base64,${Buffer.from(text).toString('base64')}`
    : `data:application/json,${encodeURIComponent(text)}`
}

describe('originalRange', () => {
  it('agrees with Node on the containing segment, everywhere', () => {
    const oracle = new SourceMap(payload)
    for (const line of [0, 1]) {
      for (let column = 0; column < 40; column += 1) {
        const entry = oracle.findEntry(line, column)
        const { best } = originalRange(dataUrl(payload), line, column) ?? {}
        expect(best).toEqual(
          'originalLine' in entry ? { line: entry.originalLine, column: entry.originalColumn } : undefined,
        )
      }
    }
  })

  it('spans the neighbours of the segment', () => {
    expect(originalRange(dataUrl(payload), 1, 5)).toEqual({
      best: { line: 1, column: 4 },
      from: { line: 1, column: 0 },
      to: { line: 1, column: 12 },
    })
  })

  it('takes them as they are in the original, where generated code maps backwards', () => {
    // Generated columns 0, 4, 8, 12 come from the original columns 0, 20, 5, 2.
    const backwards = dataUrl({ ...payload, mappings: 'AAAA,IAAoB,IAAf,IAAH' })
    expect(originalRange(backwards, 0, 6)).toEqual({
      best: { line: 0, column: 20 },
      from: { line: 0, column: 0 },
      to: { line: 0, column: 20 },
    })
  })

  it('is open where the map ends', () => {
    expect(originalRange(dataUrl(payload), 1, 1000)?.to.line).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('reads percent-encoded maps too', () => {
    expect(originalRange(dataUrl(payload, 'percent'), 1, 5)).toEqual(originalRange(dataUrl(payload), 1, 5))
  })

  it('takes a broken map for none', () => {
    expect(originalRange('data:application/json;base64,e30', 0, 0)).toBeNull()
    expect(originalRange('data:application/json;base64,xxxx', 0, 0)).toBeNull()
    expect(originalRange('data:application/json,%', 0, 0)).toBeNull()
  })

  it('knows nothing of maps in files, and of places before the first segment', () => {
    expect(originalRange('work.js.map', 0, 0)).toBeNull()
    expect(originalRange('', 0, 0)).toBeNull()
    expect(originalRange(dataUrl({ version: 3, sources: [], mappings: ';;AAAA' }), 0, 5)).toBeNull()
  })
})
