// What is compared with what. Every row is two programs that do the same work and print one line:
// `{ "seconds": …, "count": …, "sum": … }`. A sum other than the expected one is a wrong result, and the row fails.

/**
 * @typedef {object} Program
 * @property {'skein' | 'CPython' | 'Piscina' | 'redlock' | 'redis-semaphore' | 'BullMQ'} runner whose program it is
 * @property {string} [folder] where it lies; default: the folder of the runner's name
 * @property {string} file
 * @property {readonly (string | number)[]} args
 * @property {number} sum what it has to print
 *
 * @typedef {object} Row
 * @property {string} name for `--only`
 * @property {string} title
 * @property {string} unit of a rate (`items/s`), or `ms` and `µs` for the time of one
 * @property {Program} ours
 * @property {Program} theirs
 * @property {string} peer
 * @property {number | null} required least ratio of speeds, ours to theirs; `null`: the row only informs
 */

/** 0 + 1 + … + (n − 1) @param {number} n */
const sumBelow = (n) => (n * (n - 1)) / 2
/** 1 + 2 + … + n @param {number} n */
const sumUpTo = (n) => (n * (n + 1)) / 2
/** Length and first byte of each item. @param {number} n */
const sumOfBytes = (n) => Array.from({ length: n }, (_, i) => 1024 + (i & 255)).reduce((a, b) => a + b, 0)

/** @param {string} file @param {Program['args']} args @param {number} sum @returns {Program} */
const skein = (file, args, sum) => ({ runner: 'skein', file, args, sum })
/** @param {string} file @param {Program['args']} args @param {number} sum @returns {Program} */
const cpython = (file, args, sum) => ({ runner: 'CPython', file, args, sum })
/** @param {string} file @param {Program['args']} args @param {number} sum @returns {Program} */
const piscina = (file, args, sum) => ({ runner: 'Piscina', file, args, sum })

// So many items and maps that what V8 compiles in the first half second is a small part of it.
const QUEUE = 1_000_000
const QUEUE_BYTES = 200_000
const MAP = 100_000
const DEFAULT_MAPS = 200
const BURST = 5_000
const BURSTS = 10
const CALLS = 3_000
const STARTS = 10
const PINGS = 10_000

/** @type {readonly Row[]} */
export const rows = [
  {
    name: 'queue',
    title: 'queue, one process to one, ints',
    unit: 'items/s',
    ours: skein('bench-queue.mjs', ['ints', QUEUE], sumBelow(QUEUE)),
    theirs: cpython('bench_queue.py', ['ints', QUEUE], sumBelow(QUEUE)),
    peer: 'CPython Queue',
    required: 1.3,
  },
  {
    name: 'map-1',
    title: 'pool(2).map, 100,000 tasks, chunk size 1',
    unit: 'tasks/s',
    ours: skein('bench-pool-map.mjs', [MAP, 4, 2, 1], 4 * sumUpTo(MAP)),
    theirs: cpython('bench_pool_map.py', [MAP, 4, 2, 1], 4 * sumUpTo(MAP)),
    peer: 'CPython Pool(2)',
    required: 5,
  },
  {
    name: 'map',
    title: 'pool(2).map, 100,000 tasks, default chunks',
    unit: 'tasks/s',
    ours: skein('bench-pool-map.mjs', [MAP, DEFAULT_MAPS, 10], DEFAULT_MAPS * sumUpTo(MAP)),
    theirs: cpython('bench_pool_map.py', [MAP, DEFAULT_MAPS, 10], DEFAULT_MAPS * sumUpTo(MAP)),
    peer: 'CPython Pool(2)',
    required: 1.5,
  },
  {
    name: 'burst',
    title: 'pool(2), burst of 5,000 single tasks',
    unit: 'tasks/s',
    ours: skein('bench-burst.mjs', [BURST, BURSTS, 3], BURSTS * sumUpTo(BURST)),
    theirs: piscina('bench-burst.mjs', [BURST, BURSTS, 3], BURSTS * sumUpTo(BURST)),
    peer: 'Piscina',
    required: 5,
  },
  {
    name: 'burst-8',
    title: 'the same, 8 tasks at once per thread there',
    unit: 'tasks/s',
    ours: skein('bench-burst.mjs', [BURST, BURSTS, 3], BURSTS * sumUpTo(BURST)),
    theirs: piscina('bench-burst.mjs', [BURST, BURSTS, 3, 8], BURSTS * sumUpTo(BURST)),
    peer: 'Piscina, concurrent',
    required: null,
  },
  {
    name: 'queue-1k',
    title: 'queue, one process to one, 1 KB',
    unit: 'items/s',
    ours: skein('bench-queue.mjs', ['bytes', QUEUE_BYTES], sumOfBytes(QUEUE_BYTES)),
    theirs: cpython('bench_queue.py', ['bytes', QUEUE_BYTES], sumOfBytes(QUEUE_BYTES)),
    peer: 'CPython Queue',
    required: null,
  },
  {
    name: 'call',
    title: 'single call, median',
    unit: 'µs',
    ours: skein('bench-call.mjs', [CALLS], sumUpTo(CALLS)),
    theirs: piscina('bench-call.mjs', [CALLS], sumUpTo(CALLS)),
    peer: 'Piscina',
    required: null,
  },
  {
    name: 'pipe',
    title: 'pipe ping-pong',
    unit: 'trips/s',
    ours: skein('bench-pipe.mjs', [PINGS], sumUpTo(PINGS)),
    theirs: cpython('bench_pipe.py', [PINGS], sumUpTo(PINGS)),
    peer: 'CPython Pipe',
    required: null,
  },
  {
    name: 'lock',
    title: 'lock, uncontended',
    unit: 'pairs/s',
    ours: skein('bench-lock.mjs', [10_000], 10_000),
    theirs: cpython('bench_lock.py', ['semaphore', 1_000_000], 1_000_000),
    peer: 'CPython Lock',
    required: null,
  },
  {
    name: 'lock-manager',
    title: 'lock, uncontended',
    unit: 'pairs/s',
    ours: skein('bench-lock.mjs', [10_000], 10_000),
    theirs: cpython('bench_lock.py', ['manager', 10_000], 10_000),
    peer: 'CPython Manager().Lock',
    required: null,
  },
  {
    name: 'start',
    title: 'process, start and join',
    unit: 'ms',
    ours: skein('bench-start.mjs', [STARTS], STARTS),
    theirs: cpython('bench_start.py', [STARTS], STARTS),
    peer: 'CPython spawn',
    required: null,
  },
]
