// From samples to figures, and from figures to the printed table.

/** @typedef {import('./rows.mjs').Row} Row */
/** @typedef {import('./side.mjs').Sample} Sample */
/** @typedef {{ median: number, least: number, most: number }} Spread */

/**
 * @typedef {object} Result
 * @property {string} name
 * @property {string} title
 * @property {string} unit
 * @property {string} peer
 * @property {number | null} required
 * @property {Sample[]} ours one per round
 * @property {Sample[]} theirs
 * @property {string | null} absent what is not installed here, so that there is no ratio
 * @property {string | null} problem what failed, a wrong result included
 */

/** @param {readonly number[]} values at least one @returns {Spread} */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (/** @type {number} */ index) => sorted[index] ?? Number.NaN
  const half = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? at(half) : (at(half - 1) + at(half)) / 2
  return { median, least: at(0), most: at(sorted.length - 1) }
}

/** How much faster ours was, round by round. @param {Result} result @returns {number[]} */
export function ratios({ ours, theirs }) {
  return theirs.flatMap((their, round) => {
    const our = ours[round]
    return our === undefined ? [] : [our.count / our.seconds / (their.count / their.seconds)]
  })
}

/** Against the requirement; `null` where there is none or nothing to compare with. A failure never passes. @param {Result} result */
export function passes(result) {
  if (result.problem !== null) return false
  if (result.required === null || result.absent !== null) return null
  return spread(ratios(result)).median >= result.required
}

/** @param {Sample} sample @param {string} unit */
function figure(sample, unit) {
  if (unit === 'ms') return (sample.seconds / sample.count) * 1e3
  if (unit === 'µs') return (sample.seconds / sample.count) * 1e6
  return sample.count / sample.seconds
}

/** @param {number} value */
function short(value) {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3)
}

/** @param {readonly Sample[]} samples @param {string} unit */
function side(samples, unit) {
  if (samples.length === 0) return '–'
  const { median, least, most } = spread(samples.map((sample) => figure(sample, unit)))
  return `${short(median)} ${unit} (${short(least)}–${short(most)})`
}

/** @param {number} value */
function times(value) {
  return value >= 0.1 ? value.toFixed(2) : value.toPrecision(2)
}

/** @param {Result} result */
function ratio(result) {
  const each = ratios(result)
  if (each.length === 0) return result.problem === null ? 'not measured' : 'failed'
  const { median, least, most } = spread(each)
  return `${times(median)}× (${times(least)}–${times(most)})`
}

/** A Markdown table, so that it can be pasted as it is. @param {readonly Result[]} results */
export function table(results) {
  const head = ['', 'what', 'Skein', 'peer', '', 'ratio', 'required']
  const lines = results.map((result) => {
    const passed = passes(result)
    return [
      passed === null ? ' ' : passed ? '✓' : '✗',
      result.title,
      side(result.ours, result.unit),
      result.peer,
      side(result.theirs, result.unit),
      ratio(result),
      result.required === null ? '' : `≥ ${result.required}×`,
    ]
  })
  const widths = head.map((word, column) => Math.max(word.length, ...lines.map((line) => line[column]?.length ?? 0)))
  const row = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  /** One line for each reason, with the rows it concerns. @type {Map<string, string[]>} */
  const notes = new Map()
  for (const { name, problem, absent } of results) {
    const note = problem ?? absent
    if (note !== null) notes.set(note, [...(notes.get(note) ?? []), name])
  }
  const explained = Array.from(notes, ([note, names]) => `${names.join(', ')}: ${note}`)
  return [row(head), rule, ...lines.map(row), ...(notes.size > 0 ? ['', ...explained] : [])].join('\n')
}
