/** From what a Redis client rejects with to the errors of Skein, without the secrets that such an error may carry. */
import {
  AuthenticationError,
  CapacityError,
  ConflictError,
  ConnectionError,
  ProtocolError,
  SkeinError,
  StateError,
  TlsError,
} from '@skein/core'
import type { Server } from '../options.ts'

/** Shorter ones would be found in words of every message, and are no secret. */
const SHORTEST_SECRET = 3

/** Certificates: OpenSSL's own names, which come without a common beginning. */
const CERTIFICATE =
  /^(?:ERR_SSL_|ERR_TLS_|CERT_|CRL_|EPROTO$|HOSTNAME_MISMATCH$|INVALID_CA$|PATH_LENGTH_EXCEEDED$|INVALID_PURPOSE$|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT|UNABLE_TO_)/

/** OpenSSL's long form of an error, of which one part is for people. */
const OPENSSL = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):[^]*$/

/**
 * Replies after which the same command may succeed, on this connection or the next. ASK: the keys are on their way to another master of the
 * cluster, which has them when all have arrived.
 */
const PASSING = /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|ASK|BUSY|UNKILLABLE) /

/** Replies for as long as the server takes no writes: it lacks replicas, or cannot save. Not to be waited for by those who can be told. */
const PASSING_LATER = /^(?:NOREPLICAS|MISCONF) /

/** What the client itself says of a lost connection. */
const OWN_WORDS = /^(?:Connection is closed\.$|Stream isn't writeable)/

/** Hides passwords in texts. */
export type Mask = (text: string) => string

export function maskOf(servers: readonly Server[]): Mask {
  const secrets = new Set<string>()
  const words = servers.flatMap(({ password, tls }) => [password, tls?.['passphrase']])
  for (const word of words) {
    if (typeof word !== 'string') continue
    for (const form of [word, encodeURIComponent(word), encodeURI(word)]) {
      if (form.length >= SHORTEST_SECRET) secrets.add(form)
    }
  }
  return (text) => {
    let masked = text
    for (const secret of secrets) masked = masked.replaceAll(secret, '***')
    return masked.replaceAll(/(\/\/)[^/@\s]*@/g, '$1***@')
  }
}

function field(error: unknown, name: string): string {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined
  return typeof value === 'string' ? value : ''
}

/** A copy without the command that failed, whose arguments may be anything, passwords and items included. */
function clean(error: unknown, mask: Mask): Error {
  // Tried several addresses of one name: the first one's trouble stands for all.
  const from: unknown = error instanceof AggregateError && error.message === '' ? error.errors[0] : error
  const copy = new Error(mask(from instanceof Error ? from.message : String(from)))
  const name = field(from, 'name')
  const code = field(from, 'code')
  if (name !== '') Object.defineProperty(copy, 'name', { value: name, configurable: true, writable: true })
  if (code !== '') Object.assign(copy, { code })
  if (from instanceof Error && from.stack !== undefined) copy.stack = mask(from.stack)
  return copy
}

/** The server refused it as it stands; nothing is known about the command's meaning. */
export function isPassing(error: unknown): boolean {
  return PASSING.test(field(error, 'message'))
}

export function isNoScript(error: unknown): boolean {
  return field(error, 'message').startsWith('NOSCRIPT ')
}

/** The keys of a call are on another master of the cluster than the one that was asked. */
export class Moved extends Error {
  /** Under way when that was found out, so it may have run where it was. */
  readonly mayHaveRun: boolean

  constructor(mayHaveRun: boolean) {
    super('these keys are on another master of the cluster')
    this.mayHaveRun = mayHaveRun
  }
}

export function isMoved(error: unknown): boolean {
  return field(error, 'message').startsWith('MOVED ')
}

/** Whether the server itself has said it; else the connection or the client. */
export function isReply(error: unknown): boolean {
  return field(error, 'name') === 'ReplyError'
}

/** Whether the client knows no more than that there is no connection. */
export function isOwnWord(error: unknown): boolean {
  return OWN_WORDS.test(field(error, 'message'))
}

/** Whether it is the failure of a connection that was there and was lost: a new one may hold. */
export function isCut(failure: unknown): boolean {
  if (!(failure instanceof ConnectionError) || failure.constructor !== ConnectionError) return false
  return isOwnWord(failure.cause) || /^(?:ECONNRESET|EPIPE)$/.test(field(failure.cause, 'code'))
}

function tlsAdvice(code: string, message: string): string {
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code) || /secure TLS/.test(message)) {
    return 'does that port speak TLS at all? redis:// is for one that does not'
  }
  // Of the alerts that a server sends, these are about what the client has shown, or has not.
  if (/ALERT_(?:CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA)/.test(code)) {
    return 'the server asks for a certificate of its clients: connect(redis(url, { tls: { cert, key } })) shows one'
  }
  return 'the certificate must be valid for that host, and its CA known by NODE_EXTRA_CA_CERTS or connect(redis(url, { tls: { ca } }))'
}

/**
 * Says in Skein's words what went wrong.
 *
 * @param where what it happened to: `redis://host:6379`
 * @param keys what the command was about
 */
export function failureOf(error: unknown, where: string, mask: Mask, keys: readonly string[] = []): SkeinError {
  if (error instanceof SkeinError) return error
  const cause = clean(error, mask)
  const { message } = cause
  const code = field(cause, 'code')
  const said = message.replace(OPENSSL, '$1').replace(/(?:\. Please report this)?\.?$/, '')
  if (/\bOOM command not allowed\b/.test(message)) {
    return new CapacityError(
      `Redis at ${where} is full (maxmemory), so nothing more can be put into it; make room or raise maxmemory`,
      { cause, retryable: true },
    )
  }
  if (/\bWRONGTYPE\b/.test(message)) {
    const which = keys.length === 0 ? 'a key' : keys.length === 1 ? keys[0] : `one of ${keys.join(', ')}`
    return new ConflictError(
      `${which} in Redis at ${where} holds what Skein has not put there; delete it, or use another name or namespace`,
      { cause },
    )
  }
  if (
    /^(?:WRONGPASS|NOAUTH)\b|invalid password|without any password configured|wrong number of arguments for 'auth'/.test(
      message,
    )
  ) {
    return new AuthenticationError(
      `Redis at ${where} refused the credentials of the url (${said}); check user and password`,
      { cause },
    )
  }
  if (message.startsWith('NOPERM')) {
    return new AuthenticationError(
      `Redis at ${where} does not let this user do what is needed (${said}); its ACL must allow it`,
      { cause },
    )
  }
  if (CERTIFICATE.test(code) || /secure TLS connection/.test(message)) {
    return new TlsError(`no secure connection to Redis at ${where} (${said}); ${tlsAdvice(code, message)}`, { cause })
  }
  if (/^(?:Protocol error|Unknown RESP type)/.test(message)) {
    return new ProtocolError(`what answers at ${where} is not Redis (${said}); check host and port`, { cause })
  }
  if (isReply(error)) {
    return isPassing(error) || PASSING_LATER.test(message)
      ? new ConnectionError(`Redis at ${where} cannot serve now (${said})`, { cause, retryable: true })
      : new StateError(`Redis at ${where} refused a command (${said})`, { cause })
  }
  return new ConnectionError(`no connection to Redis at ${where} (${said}); is it running, and reachable from here?`, {
    cause,
    retryable: true,
  })
}
