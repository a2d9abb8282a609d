import { describe, expect, it } from 'vitest'
import { ArgumentError } from '../../src/errors.ts'
import { checkInteger, checkOptions } from '../../src/util/options.ts'

const known = ['timeout', 'signal', 'retries', 'chunkSize']

describe('checkOptions', () => {
  it('gives what was set', () => {
    expect({ ...checkOptions({ retries: 1, timeout: undefined }, known, 'map()') }).toEqual({ retries: 1 })
    expect({ ...checkOptions(undefined, known, 'map()') }).toEqual({})
  })

  it.each([
    ['timout', 'map(): unknown option "timout"; did you mean "timeout"?'],
    ['chunksize', 'map(): unknown option "chunksize"; did you mean "chunkSize"?'],
    ['retrys', 'map(): unknown option "retrys"; did you mean "retries"?'],
    ['priority', 'map(): unknown option "priority"; it takes timeout, signal, retries, chunkSize'],
    ['', 'map(): unknown option ""; it takes timeout, signal, retries, chunkSize'],
  ])('refuses %j with a proposal', (name, message) => {
    expect(() => checkOptions({ [name]: 1 }, known, 'map()')).toThrow(new ArgumentError(message))
  })

  it.each([null, 7, 'x', [1]])('refuses %j as options', (options) => {
    expect(() => checkOptions(options as object, known, 'map()')).toThrow(ArgumentError)
  })

  it('never applies an inherited option', () => {
    const options: { retries?: number; timeout?: number } = Object.assign(Object.create({ retries: 9 }), { timeout: 1 })
    const checked = checkOptions(options, known, 'map()')
    expect(checked.timeout).toBe(1)
    expect(checked.retries).toBeUndefined()
  })

  it('answers a huge key quickly', () => {
    expect(() => checkOptions({ ['x'.repeat(1e6)]: 1 }, known, 'map()')).toThrow(
      /^map\(\): unknown option "x{100}…"; it takes/,
    )
  })
})

describe('checkInteger', () => {
  it('gives the number', () => {
    expect(checkInteger(3, { min: 1, what: 'size' })).toBe(3)
  })

  it.each([
    [0, '0'],
    [-1, '-1'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
    ['4', '"4"'],
    [null, 'null'],
    [3n, '3n'],
    [[], 'an array'],
  ])('refuses %s', (value, got) => {
    expect(() => checkInteger(value, { min: 1, what: 'size' })).toThrow(
      new ArgumentError(`size must be an integer of 1 or more, got ${got}`),
    )
  })

  it('names the largest integer there is where that is exceeded', () => {
    expect(() => checkInteger(2 ** 53, { min: 1, what: 'size' })).toThrow(
      new ArgumentError('size must be an integer from 1 to 9007199254740991, got 9007199254740992'),
    )
  })

  it('names both bounds', () => {
    expect(() => checkInteger(9, { min: 1, max: 8, what: 'size' })).toThrow(
      'size must be an integer from 1 to 8, got 9',
    )
  })
})
