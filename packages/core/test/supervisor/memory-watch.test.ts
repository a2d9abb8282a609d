/** Who ended for want of memory: told by the report of Node, or by a count of the kernel. */
import { writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DeathReport, KernelKills } from '../../src/supervisor/memory-watch.ts'

describe('a report of a death', () => {
  it.each([
    ['OOMError', true],
    ['FatalError', false],
    ['API', false],
  ])('with the trigger %s: out of memory %s', (trigger, outOfMemory) => {
    const report = DeathReport.open()
    if (report === null) throw new Error('there is no place for a report')
    expect(report.outOfMemory).toBe(false)
    writeSync(report.descriptor, JSON.stringify({ header: { event: 'x', trigger, processId: 1 } }), 0)
    expect(report.outOfMemory).toBe(outOfMemory)
    report.close()
  })
})

describe('the kills of the kernel', () => {
  it('are told once each', () => {
    let count = 3
    const kills = new KernelKills(() => count)
    expect(kills.another).toBe(false)
    count = 5
    expect([kills.another, kills.another]).toEqual([true, false])
  })

  it('can be asked of this system, or count as none', () => {
    expect(new KernelKills().another).toBe(false)
  })
})
