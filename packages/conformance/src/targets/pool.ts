/** Tasks and initializers of pools. */
import process from 'node:process'
import type { Queue } from '@skein/core'
import { currentProcess } from '@skein/core'
import { double } from './basic.ts'

/** Says which process it is, and waits until it may go on. */
export async function stopAtGate(arrived: Queue<number>, gate: Queue<string>): Promise<string> {
  await arrived.put(process.pid)
  return await gate.get()
}

/** For one item, as `stopAtGate`; all others pass. */
export async function passGate(
  arrived: Queue<number>,
  gate: Queue<string>,
  held: number,
  item: number,
): Promise<number> {
  if (item === held) await stopAtGate(arrived, gate)
  return item
}

/** Says that it runs. */
export async function tell(seen: Queue<number>, item: number): Promise<number> {
  await seen.put(item)
  return item
}

export async function tellAndFailOdd(seen: Queue<number>, item: number): Promise<number> {
  await seen.put(item)
  if (item % 2 === 1) throw new RangeError(`odd: ${item}`)
  return item
}

export async function returnLater(value: number): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve))
  return value
}

/** An error whose constructor cannot be called with a message. */
class AwkwardError extends Error {
  constructor(order: { readonly item: { readonly name: string } }) {
    super(`cannot serve ${order.item.name}`)
    this.name = 'AwkwardError'
  }
}

export function failAwkwardly(): never {
  throw new AwkwardError({ item: { name: 'soup' } })
}

/** An error that carries what cannot cross processes. */
export function failWithBaggage(): never {
  throw Object.assign(new TypeError('too much luggage'), { code: 'E_BAGGAGE', retry: () => {}, self: process.stdout })
}

export function returnFunction(): unknown {
  return { items: [{ onDone: () => {} }] }
}

export function returnFunctionIfOdd(item: number): unknown {
  return item % 2 === 1 ? () => item : item
}

export function exitWith(code: number): never {
  process.exit(code)
}

let base = 0
let initialized = 0

export function setBase(value: number): void {
  base = value
  initialized += 1
}

export function addToBase(value: number): number {
  return base + value
}

export function timesInitialized(): number {
  return initialized
}

/** Runs tasks in a pool of its own. */
export async function doubleInPool(items: readonly number[]): Promise<number[]> {
  const { context } = currentProcess()
  if (context === null) throw new Error('a worker has a context')
  const pool = context.pool(1)
  try {
    return await pool.map(double, items)
  } finally {
    await pool.terminate()
  }
}

/** Doubles once in each of so many pools, one within a task of the other; in the end it doubles the number itself. */
export async function doubleDeep(depth: number): Promise<number> {
  const { context } = currentProcess()
  if (context === null) throw new Error('a worker has a context')
  if (depth === 0) return 3
  const pool = context.pool(1)
  try {
    return 2 * (await pool.apply(doubleDeep, [depth - 1]))
  } finally {
    await pool.terminate()
  }
}

/** Computes for so many milliseconds. Returns which process did. */
export function computeFor(milliseconds: number): number {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
  return process.pid
}

const hoard: Buffer[] = []

/** Leaves so many bytes behind in its process. Returns which one that is. */
export function hoardBytes(bytes: number): number {
  hoard.push(Buffer.alloc(bytes, 1))
  return process.pid
}

/** Says that it runs; one item then computes for ever. */
export async function spinIfItem(seen: Queue<number>, endless: number, item: number): Promise<number> {
  await seen.put(item)
  if (item === endless) for (;;);
  return item
}

/** Says that it runs; one item then never returns. */
export async function idleIfItem(seen: Queue<number>, endless: number, item: number): Promise<number> {
  await seen.put(item)
  if (item === endless) {
    setInterval(() => {}, 60_000)
    await new Promise(() => {})
  }
  return item
}

/** For the victim: says which process it is, and never returns. For all others: says that it ran. */
export async function runUnlessVictim(
  seen: Queue<number>,
  victims: Queue<number>,
  victim: number,
  item: number,
): Promise<number> {
  if (item === victim) {
    await victims.put(process.pid)
    setInterval(() => {}, 60_000)
    await new Promise(() => {})
  }
  await seen.put(item)
  return item
}
