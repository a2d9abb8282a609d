/** `local:NAME`: programs of one machine that know nothing of each other but a name, and what they see of each other's deaths. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { until } from '@skein/conformance'
import { ConflictError, connect, ConnectionError, type ObjectSnapshot, ScopeError, StateError } from '@skein/core'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Party } from './support/party.ts'
import { freshNamespace } from './support/redis.ts'
import { remove } from './support/remove.ts'

/** Where they meet in this test. */
let folder = ''
let url = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sk-'))
  url = `local:${freshNamespace()}`
  onTestFinished(() => remove(folder))
})

function start(namespace = 'n'): Promise<Party> {
  return Party.start({ url, folder }, namespace)
}

async function parties(count: number): Promise<[Party, Party, Party]> {
  const all: Party[] = []
  // One after the other, so that it is known who hosts.
  for (let made = 0; made < count; made += 1) all.push(await start())
  return all as [Party, Party, Party]
}

describe('programs that connect to one name', () => {
  test('share what has a name', async () => {
    const [host, guest, other] = await parties(3)
    expect(await guest.ask('add', 'count', 2)).toBe(2)
    expect(await host.ask('add', 'count', 3)).toBe(5)
    expect(await other.ask('lock', 'a')).toBe(true)
    expect(await guest.ask('tryLock', 'a')).toBe(false)
    const waiting = guest.ask('lock', 'a')
    await other.ask('unlock', 'a')
    expect(await waiting).toBe(true)
    const [got] = await Promise.all([host.ask('get', 'jobs'), guest.ask('put', 'jobs', 'from a guest')])
    expect(got).toBe('from a guest')
  })

  test('lend each other what has no name, until its maker ends', async () => {
    const [host, guest, other] = await parties(3)
    for (const [from, to, line] of [
      [guest, other, 'x'],
      [other, host, 'y'],
      [host, guest, 'z'],
    ] as const) {
      // prettier-ignore
      await from.ask('lend', line)
      expect(await to.ask('borrowed', line, 'lent')).toBe(true)
      expect(await from.ask('lent')).toBe('lent')
    }
    // The guest has lent to the other, which keeps the handle.
    await guest.ask('lend', 'x')
    await other.ask('borrowed', 'x', 'lent')
    await guest.kill()
    await expect(until('it is gone', () => other.ask('again').then(() => false), 5_000)).rejects.toThrow(/ended/)
  })

  test('see each other’s processes', async () => {
    const [host, guest, other] = await parties(3)
    for (const [from, to, line] of [
      [guest, other, 'x'],
      [other, host, 'y'],
      [host, guest, 'z'],
    ] as const) {
      // prettier-ignore
      await from.ask('start', line, 300)
      expect(await to.ask('join', line)).toBe('returned')
      await from.ask('start', line, 60_000)
      expect(await to.ask('terminate', line)).toBe('SIGTERM')
      expect(await from.ask('childEnded')).toEqual(['signaled', 'SIGTERM'])
    }
    await guest.ask('start', 'x', 60_000)
    const joining = expect(other.ask('join', 'x')).rejects.toThrow(/ended with the program|is gone/)
    await until('it is known there', async () => (await host.ask<ObjectSnapshot[]>('inspect')).some(({ name, depth }) => name === 'x' && depth === 0)) // prettier-ignore
    await guest.kill()
    await joining
  })

  test('run processes and pools of their own', async () => {
    const [host, guest] = await parties(2)
    for (const party of [host, guest]) {
      expect(await party.ask('run', 21)).toBe(42)
      expect(await party.ask('map', [1, 2, 3])).toEqual([2, 4, 6])
    }
  })

  test('do not meet in another namespace, nor under another name', async () => {
    const one = await start('n')
    const elsewhere = await start('m')
    await one.ask('put', 'jobs', 1)
    expect(await elsewhere.ask('tryGet', 'jobs')).toBeNull()
    const mp = await here(() => connect(`${url}x`, { namespace: 'n' }))
    expect(await mp.queue('jobs').tryGet()).toBeNull()
    const local = await connect('local:', { namespace: 'n' })
    onTestFinished(() => local.close())
    await expect(mp.queue<unknown>('handles').put(local.queue('jobs'))).rejects.toBeInstanceOf(ScopeError)
  })

  test('are seen by inspect(), whichever asks', async () => {
    const [host, guest, other] = await parties(3)
    await guest.ask('lock', 'a')
    void other.ask('lock', 'a')
    for (const party of [host, guest, other]) {
      const look = async (): Promise<ObjectSnapshot | undefined> =>
        (await party.ask<ObjectSnapshot[]>('inspect')).find(({ kind, name }) => kind === 'lock' && name === 'a')
      await until('the lock has its waiter', async () => (await look())?.waiters.length === 1)
      const found = await look()
      expect(found?.holders).toMatchObject([{ pid: guest.pid }])
      expect(found?.waiters).toMatchObject([{ pid: other.pid }])
    }
  })

  test('agree on the settings within one program, as everywhere', async () => {
    await here(() => connect(url, { sessionTtl: 700 }))
    await expect(here(() => connect(url, { sessionTtl: 800 }))).rejects.toBeInstanceOf(ConflictError)
  })
})

describe('when a guest is killed', () => {
  test('what it held goes on, and what it waited for is not given to it', async () => {
    const [host, guest, other] = await parties(3)
    await guest.ask('lock', 'a')
    await host.ask('lock', 'b')
    void guest.ask('lock', 'b')
    await until('it waits', async () => (await host.ask<ObjectSnapshot[]>('inspect')).some(({ name, waiters }) => name === 'b' && waiters.length === 1)) // prettier-ignore
    const waiting = other.ask('lock', 'a')
    await guest.kill()
    expect(await waiting).toBe(true)
    await host.ask('unlock', 'b')
    expect(await other.ask('tryLock', 'b')).toBe(true)
  })
})

describe('when the host goes', () => {
  for (const how of ['is killed', 'closes its context'] as const) {
    test(`that ${how}: guests hear of it at once, their processes go on, and the name is free`, async () => {
      const [host, guest, other] = await parties(3)
      await guest.ask('lock', 'a')
      const before = await guest.ask('scope')
      const waiting = guest.ask('wait', 'never')
      const child = await guest.ask<number>('start', 'x', 60_000)
      const lost = expect(waiting).rejects.toMatchObject({ name: 'ConnectionError', message: expect.stringContaining(`pid ${host.pid}`) }) // prettier-ignore
      if (how === 'is killed') await host.kill()
      else await host.ask('close')
      await lost
      await expect(guest.ask('tryGet', 'x')).rejects.toMatchObject({ name: 'ConnectionError' })
      await expect(guest.ask('tryLock', 'new')).rejects.toMatchObject({ name: 'ConnectionError' })
      expect(await guest.ask('state')).toBe('lost')
      expect(await guest.ask('aborted')).toEqual(['ConnectionError'])
      expect(await guest.ask('lost')).toContain('connect() again')
      expect(await guest.ask('run', 4)).toBe(8)
      expect(process.kill(child, 0)).toBe(true)
      const after = await guest.ask('reconnect')
      expect(after).not.toBe(before)
      expect(await other.ask('reconnect')).toBe(after)
      expect(await guest.ask('tryLock', 'a')).toBe(true)
      await other.ask('put', 'jobs', 7)
      expect(await guest.ask('get', 'jobs')).toBe(7)
    })
  }

  test('a stopped one is not taken for dead: who comes is told its pid in time', async () => {
    const host = await start()
    await host.kill('SIGSTOP')
    const began = performance.now()
    const error: unknown = await here(() => connect(url, { namespace: 'n' })).catch((reason: unknown) => reason)
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(error).toBeInstanceOf(ConnectionError)
    expect((error as Error).message).toContain(`pid ${host.pid}`)
    await host.kill('SIGCONT')
    const mp = await here(() => connect(url, { namespace: 'n' }))
    expect(await mp.lock('a').with(() => 'held')).toBe('held')
  })

  test('again and again, there is one host at a time', async () => {
    for (let round = 0; round < 4; round += 1) {
      const all = Array.from({ length: 5 }, () => new Party({ url, folder }, 'n'))
      await Promise.all(all.map((party) => party.ready()))
      const scopes = new Set(await Promise.all(all.map((party) => party.ask<string>('scope'))))
      expect(scopes.size).toBe(1)
      expect(await Promise.all(all.map((party) => party.ask('add', `c${round}`, 1)))).toHaveLength(5)
      expect(await all[0]?.ask('add', `c${round}`, 0)).toBe(5)
      await Promise.all(all.map((party) => party.kill()))
    }
  })
})

test('whoever is killed, while others come: those who are left agree on one host', async () => {
  let all = await Promise.all([1, 2, 3, 4].map(() => start()))
  const scopes = async (): Promise<string[]> => Promise.all(all.map((party) => party.ask<string>('scope')))
  /** The scope of handles ends with the id of the host, and that begins with its pid. */
  const hosts =
    (scope: string) =>
    (party: Party): boolean =>
      scope.split(' ')[1]?.startsWith(party.pid.toString(36)) === true
  for (let round = 0; round < 8; round += 1) {
    const [scope = ''] = await scopes()
    const host = all.find(hosts(scope)) as Party
    const guest = all.find((party) => party !== host) as Party
    // In every third round nobody but a guest is killed, in every other third one both are.
    const victims = [[host], [guest], [host, guest]][round % 3] as Party[]
    all = all.filter((party) => !victims.includes(party))
    const left = [...all]
    const comers = victims.map(() => new Party({ url, folder }, 'n'))
    all.push(...comers)
    await Promise.all([
      ...victims.map((party) => party.kill()),
      ...comers.map((party) => party.ready()),
      ...(victims.includes(host) ? left.map((party) => party.ask('reconnect')) : []),
    ])
    // Who came before the host had died is its guest no longer.
    const missed = async (party: Party): Promise<boolean> => (await party.ask('scope')) === scope
    if (victims.includes(host)) {
      await Promise.all(comers.map(async (party) => (await missed(party)) && party.ask('reconnect')))
    }
    expect(new Set(await scopes()).size).toBe(1)
    expect(await Promise.all(all.map((party) => party.ask('add', `c${round}`, 1)))).toContain(4)
  }
})

describe('the directory in which they meet', () => {
  test('belongs to the user alone', async () => {
    await here(() => connect(url))
    const own = join(folder, `skein-${process.getuid?.() ?? ''}`)
    chmodSync(own, 0o755)
    await expect(here(() => connect(`${url}x`))).rejects.toThrow(/must be a directory of this user alone; .*chmod 700/)
    chmodSync(own, 0o700)
    expect((await here(() => connect(`${url}x`))).kind).toBe('local')
  })

  test('is no link to somewhere else', async () => {
    mkdirSync(join(folder, 'elsewhere'), { mode: 0o700 })
    symlinkSync('elsewhere', join(folder, `skein-${process.getuid?.() ?? ''}`))
    await expect(here(() => connect(url))).rejects.toBeInstanceOf(StateError)
  })

  test('is refused where its path is too long for a socket', async () => {
    const long = join(folder, 'a'.repeat(90))
    mkdirSync(long)
    folder = long
    await expect(here(() => connect(url))).rejects.toThrow(/too long for a socket .*TMPDIR/)
  })

  test('is cleared of the sockets of killed programs by the next host', async () => {
    const [host, guest] = await parties(2)
    const own = join(folder, `skein-${process.getuid?.() ?? ''}`)
    const directory = join(own, readdirSync(own)[0] ?? '')
    const sockets = readdirSync(directory).filter((name) => name !== '1')
    expect(sockets).toHaveLength(2)
    await Promise.all([host, guest].map((party) => party.kill()))
    const before = new Date(Date.now() - 120_000)
    for (const name of sockets) utimesSync(join(directory, name), before, before)
    await start()
    const left = readdirSync(directory)
    expect(left).toContain('2')
    expect(left.filter((name) => sockets.includes(name))).toEqual([])
  })

  test('keeps no socket of programs that have closed', async () => {
    const mp = await here(() => connect(url))
    await mp.close()
    const [directory = ''] = readdirSync(join(folder, `skein-${process.getuid?.() ?? ''}`))
    expect(readdirSync(join(folder, `skein-${process.getuid?.() ?? ''}`, directory))).toEqual(['1'])
  })
})

test('a context that is opened in any moment of the last one closing works', async () => {
  for (let turns = 0; turns < 10; turns += 1) {
    const gone = (await here(() => connect(url, { namespace: 'n' }))).close()
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
    const mp = await here(() => connect(url, { namespace: 'n' }))
    await gone
    expect(await mp.lock('a').with(() => 'held')).toBe('held')
    await mp.close()
  }
})

/** In this process, where the others meet. The directory is looked up before the first turn. */
async function here<T extends { close(): Promise<void> }>(open: () => Promise<T>): Promise<T> {
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  const opening = open()
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
  const mp = await opening
  onTestFinished(() => mp.close())
  return mp
}

test('each sees the processes of all, and finds them', async () => {
  const [host, guest, other] = [await start(), await start(), await start()]
  const pid = await guest.ask<number>('start', 'children', 60_000)
  const mains = [host.pid, guest.pid, other.pid]
  for (const party of [host, guest, other]) {
    const pids = await party.ask<number[]>('pids')
    expect(pids.toSorted((a, b) => a - b)).toEqual([...mains, pid].toSorted((a, b) => a - b))
  }
  expect(await other.ask('end', pid)).toBe('SIGKILL')
  expect(await guest.ask('childEnded')).toEqual(['signaled', 'SIGKILL'])
  await until('it is forgotten', async () => !(await host.ask<number[]>('pids')).includes(pid))
})
