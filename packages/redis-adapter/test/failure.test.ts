/** What a client's errors become, and what of them is never shown; which settings the clients have. */
import {
  AuthenticationError,
  CapacityError,
  ConnectionError,
  ProtocolError,
  type SkeinError,
  StateError,
  TlsError,
} from '@skein/core'
import { describe, expect, test } from 'vitest'
import { serverOf, shown } from '../src/options.ts'
import { failureOf, maskOf } from '../src/supervisor/failure.ts'
import { commandSettings, masterSettings, subscriberSettings } from '../src/supervisor/settings.ts'

const server = serverOf('redis://me:p%40ss-word@example.org:7000/2')
const mask = maskOf([server])

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError', command: { name: 'auth', args: ['me', 'p@ss-word'] } })
}

function coded(code: string, message = code): Error {
  return Object.assign(new Error(message), { code })
}

describe('a url', () => {
  test('is read with what its parts escape', () => {
    expect(server).toEqual({
      host: 'example.org',
      port: 7_000,
      username: 'me',
      password: 'p@ss-word',
      database: 2,
      tls: null,
      sentinel: null,
    })
    expect(serverOf('rediss://[::1]')).toMatchObject({ host: '::1', port: 6_379, database: 0, tls: {}, password: '' })
    expect(serverOf('redis://:100%25%@localhost').password).toBe('100%25%')
  })

  test('is shown without user and password', () => {
    expect(shown(server)).toBe('redis://example.org:7000')
    expect(shown(serverOf('rediss://:x@[::1]:1'))).toBe('rediss://[::1]:1')
  })
})

describe('an error', () => {
  const cases: readonly (readonly [unknown, abstract new (...args: never[]) => SkeinError])[] = [
    [reply('WRONGPASS invalid username-password pair or user is disabled.'), AuthenticationError],
    [reply('NOAUTH Authentication required.'), AuthenticationError],
    [reply("NOPERM this user has no permissions to run the 'evalsha' command"), AuthenticationError],
    [reply("OOM command not allowed when used memory > 'maxmemory'."), CapacityError],
    [reply('LOADING Redis is loading the dataset in memory'), ConnectionError],
    [reply('NOREPLICAS Not enough good replicas to write.'), ConnectionError],
    [reply('MISCONF Errors writing to the AOF file: No space left on device'), ConnectionError],
    [reply('ERR unknown command'), StateError],
    [coded('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1'), ConnectionError],
    [coded('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain'), TlsError],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), TlsError],
    [coded('ERR_SSL_WRONG_VERSION_NUMBER'), TlsError],
    [new Error('Unknown RESP type 72 "H". Please report this.'), ProtocolError],
  ]
  for (const [error, type] of cases) {
    test(`${(error as Error).message} is a ${type.name}`, () => {
      const failure = failureOf(error, shown(server), mask)
      expect(failure.constructor).toBe(type)
      expect(failure.message).toContain('redis://example.org:7000')
      expect(failure.cause).toBeInstanceOf(Error)
      expect(failure.cause).not.toHaveProperty('command')
    })
  }

  test('of several addresses is that of the first', () => {
    const all = new AggregateError([coded('ECONNREFUSED', 'connect ECONNREFUSED ::1:1'), coded('ETIMEDOUT')], '')
    expect(failureOf(all, shown(server), mask).message).toContain('ECONNREFUSED ::1:1')
  })

  test('shows no password, however it is written', () => {
    const text = 'of redis://me:p%40ss-word@example.org, p@ss-word and p%40ss-word'
    const failure = failureOf(new Error(text), shown(server), mask)
    for (const shownText of [failure.message, (failure.cause as Error).message, (failure.cause as Error).stack]) {
      expect(shownText).not.toMatch(/p(?:@|%40)ss-word/)
    }
  })
})

test('no client gives up by counting, sends again by itself, or hides a command that was lost', () => {
  for (const settings of [commandSettings(server, 'x'), subscriberSettings(server, 'x')]) {
    expect(settings).toMatchObject({
      host: 'example.org',
      port: 7_000,
      db: 2,
      username: 'me',
      password: 'p@ss-word',
      protocol: 2,
      maxRetriesPerRequest: null,
      autoResendUnfulfilledCommands: false,
      lazyConnect: true,
    })
    expect(settings).not.toHaveProperty('keyPrefix')
    expect(settings).not.toHaveProperty('tls')
    expect(settings.retryStrategy?.(1)).toBe(50)
    expect(settings.retryStrategy?.(100)).toBe(1_000)
  }
  expect(subscriberSettings(server, 'x').autoResubscribe).toBe(false)
  expect(masterSettings(server, 'x')).toMatchObject({ commandTimeout: 200, enableOfflineQueue: false })
  const secure = serverOf('rediss://example.org')
  expect(commandSettings(secure, 'x').tls).toEqual({ servername: 'example.org' })
  expect(commandSettings(serverOf('rediss://10.0.0.1'), 'x').tls).toEqual({})
})
