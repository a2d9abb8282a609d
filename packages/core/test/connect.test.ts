/** What `connect()` refuses, before it opens anything. */
import { ArgumentError, connect, NotSupportedError } from '@skein/core'
import { describe, expect, it } from 'vitest'
import { placeOf } from '../src/place.ts'

type Url = Parameters<typeof connect>[0]

describe('connect() refuses', () => {
  it.each<[string, Url, RegExp]>([
    ['another scheme', 'http://host', /knows local: .* redis:.*got "http:"/],
    ['no url', 5 as unknown as string, /takes a url like .*got 5/],
    ['an empty array', [], /array of urls is empty/],
    ['local: in an array', ['local:'], /redis: and rediss: in an array, got "local:"/],
    ['local:NAME in an array', ['local:jobs'], /redis: and rediss: in an array, got "local:"/],
    ['a name with a slash', 'local:a/b', /in local:NAME: a name has 1 to 128 of .* got "a\/b" with "\/"/],
    ['a name with a space', 'local: jobs', /in local:NAME: .* got " jobs" with " "/],
    ['a name that is too long', `local:${'x'.repeat(129)}`, /in local:NAME: .* got 129 characters/],
    [
      'Sentinels without a name',
      'redis+sentinel://:secret@a:1,b',
      /redis\+sentinel: url cannot be read; write .*host:port\/name/,
    ],
    ['a Sentinel with an impossible port', 'redis+sentinel://a:99999/main', /redis\+sentinel: url cannot be read/],
    ['one server twice', ['redis://a', 'redis://a:6379/0'], /a:6379\/0 stands twice/],
    ['an unreadable url', 'redis://:secret@', /cannot be read; write redis:\/\/host:port/],
    ['options in a url', 'redis://host/1?password=secret', /got one with a "\?"; .* redis\(…\)/],
    ['a fragment in a url', 'rediss://host#secret', /got one with a "#"/],
    ['a path that is no database', 'redis://host/first', /number of a database, got "\/first"/],
  ])('%s', async (_, url, message) => {
    const refused = await connect(url).then(
      () => null,
      (error: unknown) => error,
    )
    expect(refused).toBeInstanceOf(ArgumentError)
    expect(String(refused)).toMatch(message)
    expect(String(refused)).not.toContain('secret')
  })

  it('kinds of servers that are not served yet', async () => {
    await expect(connect('redis+cluster://host')).rejects.toThrow(NotSupportedError)
  })

  it.each<[string, object, RegExp]>([['defaults', { defaults: {} }, /defaults is not supported; leave it out/]])(
    '%s, which there is not',
    async (_, options, message) => {
      const refused = connect('local:', options)
      await expect(refused).rejects.toThrow(NotSupportedError)
      await expect(refused).rejects.toThrow(message)
    },
  )

  it.each<[string, object, RegExp]>([
    [
      'a short sessionTtl',
      { sessionTtl: 99 },
      /sessionTtl, in milliseconds, must be an integer of 100 or more, got 99/,
    ],
    ['a stallLimit that is no number', { stallLimit: '5 s' }, /stallLimit, in milliseconds, must be/],
    ['a negative outage', { outage: -1 }, /outage must be a number of milliseconds, 0 or more, got -1/],
    ['replicas', { replicas: -1 }, /replicas must be an integer of 0 or more, got -1/],
    ['onDrift', { onDrift: 'ignore' }, /onDrift must be 'reject' .* or 'warn', got "ignore"/],
    ['serve', { serve: 'yes' }, /serve must be true, false or \{ slots, labels, .* \}, got "yes"/],
    ['an option of serve', { serve: { slot: 1 } }, /connect\(\): serve: unknown option "slot"; did you mean "slots"/],
    ['labels that are a list', { serve: { labels: ['gpu'] } }, /serve\.labels must be an object such as/],
    ['a label that is a number', { serve: { labels: { gpus: 2 } } }, /serve\.labels: names and values .*"gpus": 2/],
    ['a root that is no path', { serve: { root: '' } }, /serve\.root must be the path of a folder, got ""/],
    ['an absolute path to allow', { serve: { allow: '/etc/**' } }, /serve\.allow takes paths from the root/],
    [
      'variables that are numbers',
      { serve: { env: [1] } },
      /serve\.env must be a string or an array of strings, got 1/,
    ],
    ['unsigned', { serve: { unsigned: 'yes' } }, /serve\.unsigned must be true or false, got "yes"/],
    ['slots', { serve: { slots: 0 } }, /serve\.slots must be/],
    ['an unknown option', { sessionTTL: 500 }, /did you mean "sessionTtl"/],
  ])('%s', async (_, options, message) => {
    await expect(connect('local:', options)).rejects.toThrow(message)
  })
})

describe('a place', () => {
  it('is the same with other secrets and a port that goes without saying', () => {
    const { name } = placeOf('redis://localhost')
    expect(placeOf('redis://me:secret@LOCALHOST:6379/0').name).toBe(name)
    expect(name).toMatch(/^redis:[0-9a-f]{16}$/)
  })

  it('is the same behind the same Sentinels, in any order', () => {
    const { name } = placeOf('redis+sentinel://A:26379,b/main')
    expect(placeOf('redis+sentinel://me:secret@b,a/main/0').name).toBe(name)
    for (const url of ['redis+sentinel://a,b/other', 'redis+sentinel://a,b/main/1', 'redis+sentinel://a/main']) {
      expect(placeOf(url).name).not.toBe(name)
    }
  })

  it('is another one with another host, port or database, and where a majority decides', () => {
    const urls = ['redis://a', 'redis://b', 'redis://a:1', 'redis://a/1', ['redis://a'], ['redis://a', 'redis://b']]
    expect(new Set(urls.map((url) => placeOf(url).name)).size).toBe(urls.length)
  })
})
