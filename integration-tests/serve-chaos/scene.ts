/** A Redis, programs that serve and have accidents, and one that has something run there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@skein/conformance'
import { connect, type Context } from '@skein/core'
import { expect, onTestFinished } from 'vitest'
import { freshNamespace, startRedis } from '../support/redis.ts'
import { type Accident, Accidents, HOSTS, SESSION_TTL, SLOTS } from './accidents.ts'
import { meet } from './tasks.mjs'

/** Milliseconds within which whatever was asked must be settled, with a machine that is busy. */
export const BOUND = 20_000

export interface Scene {
  readonly url: string
  readonly namespace: string
  readonly mp: Context
  readonly accidents: Accidents
  /** A file in which what runs says so. */
  readonly file: (name: string) => string
}

/** @param kinds of accidents; default: all */
export async function scene(random: () => number, kinds?: readonly Accident[]): Promise<Scene> {
  const redis = await startRedis()
  onTestFinished(() => redis.close())
  const { url } = redis
  const namespace = freshNamespace()
  const accidents = await Accidents.begin({ redis, namespace, random, kinds })
  const mp = await connect(url, { namespace, serve: false, sessionTtl: SESSION_TTL })
  onTestFinished(() => mp.close())
  return { url, namespace, mp, accidents, file: files() }
}

export function files(): Scene['file'] {
  const folder = mkdtempSync(join(tmpdir(), 'serve-chaos-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return (name) => {
    const path = join(folder, name)
    writeFileSync(path, '')
    return path
  }
}

export async function within<T>(what: string, asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} was not settled within ${BOUND} ms`)), BOUND)
  })
  try {
    return await Promise.race([asked, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The numbers that were written into that file, in order. */
export function numbersIn(file: string): number[] {
  return readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

/** All slots of all programs that serve can be had at once. */
export async function allSlots(mp: Context): Promise<void> {
  // One that was stopped may find out only now that it is lost; those that were killed are known to be dead.
  const mains = async (): Promise<number> => (await mp.processes()).filter(({ role }) => role === 'main').length
  await until('all that serve are well', async () => (await mains()) === HOSTS + 1, BOUND)
  const many = HOSTS * SLOTS
  const barrier = mp.barrier(many)
  const all = Array.from({ length: many }, () => mp.process(meet, [barrier]))
  await within('as many starts as there are slots', Promise.all(all.map((child) => child.start())))
  for (const child of all) expect((await within('join()', child.join())).reason).toBe('returned')
}
