// What is compared with what on Redis; see rows.mjs.

/** @typedef {import('./rows.mjs').Program} Program */

/** 0 + 1 + … + (n − 1) @param {number} n */
const sumBelow = (n) => (n * (n - 1)) / 2
/** 1 + 2 + … + n @param {number} n */
const sumUpTo = (n) => (n * (n + 1)) / 2

/** @param {Program['runner']} runner @param {string} file @param {Program['args']} args @param {number} sum @returns {Program} */
const program = (runner, file, args, sum) => ({
  runner,
  folder: 'redis',
  file,
  args: [runner.toLowerCase(), ...args],
  sum,
})

const WAVES = 20
const SECTIONS = 8 * WAVES
const PAIRS = 10_000
const ITEMS = 5_000
const MAP = 100_000
const MAPS = 10
const JOBS = 5_000
const JOB_MAPS = 2

/** @param {Program['runner']} runner @param {'whole' | 'idle'} measured */
const drain = (runner, measured) => program(runner, 'drain.mjs', [measured, WAVES], SECTIONS)
/** @param {Program['runner']} runner */
const uncontended = (runner) => program(runner, 'uncontended.mjs', [PAIRS], PAIRS)

/** @type {readonly import('./rows.mjs').Row[]} */
export const rows = [
  {
    name: 'lock-drain',
    title: 'lock, 8 waiters drained, what a section costs beside its 10 ms',
    unit: 'ms',
    ours: drain('skein', 'idle'),
    theirs: drain('redlock', 'idle'),
    peer: 'redlock',
    required: 10,
  },
  {
    name: 'lock-drain-semaphore',
    title: 'the same',
    unit: 'ms',
    ours: drain('skein', 'idle'),
    theirs: drain('redis-semaphore', 'idle'),
    peer: 'redis-semaphore',
    required: 2,
  },
  {
    name: 'lock-drain-whole',
    title: 'lock, 8 waiters drained, a section with its 10 ms',
    unit: 'ms',
    ours: drain('skein', 'whole'),
    theirs: drain('redlock', 'whole'),
    peer: 'redlock',
    required: null,
  },
  {
    name: 'lock-drain-whole-semaphore',
    title: 'the same',
    unit: 'ms',
    ours: drain('skein', 'whole'),
    theirs: drain('redis-semaphore', 'whole'),
    peer: 'redis-semaphore',
    required: null,
  },
  {
    name: 'lock',
    title: 'lock, uncontended',
    unit: 'pairs/s',
    ours: uncontended('skein'),
    theirs: uncontended('redlock'),
    peer: 'redlock',
    required: 0.7,
  },
  {
    name: 'queue',
    title: 'queue, item by item: put, receive, acknowledge',
    unit: 'items/s',
    ours: program('skein', 'queue.mjs', [ITEMS], sumBelow(ITEMS)),
    theirs: program('BullMQ', 'queue.mjs', [ITEMS], sumBelow(ITEMS)),
    peer: 'BullMQ',
    required: 0.8,
  },
  {
    name: 'map',
    title: 'pool(2).map of trivial tasks, default chunks',
    unit: 'tasks/s',
    ours: program('skein', 'map.mjs', [MAP, MAPS, 5], MAPS * sumUpTo(MAP)),
    theirs: program('BullMQ', 'map.mjs', [JOBS, JOB_MAPS, 1], JOB_MAPS * sumUpTo(JOBS)),
    peer: 'BullMQ addBulk, waitUntilFinished',
    required: 10,
  },
]
