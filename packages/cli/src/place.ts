/** Where a command looks: the context that its options and the environment name. */
import { ArgumentError, connect, currentProcess, NotSupportedError } from '@skein/core'
import type { ConnectOptions, Context, ProcessInfo } from '@skein/core'
import { Failure } from './failure.ts'

export interface PlaceOptions {
  readonly url?: readonly string[]
  readonly namespace?: string
  readonly json?: boolean
}

/**
 * Opens the context, and closes it when the body is over.
 *
 * @param wanted more of what `connect()` takes
 */
export async function inContext<R>(
  options: PlaceOptions,
  wanted: ConnectOptions,
  body: (mp: Context) => Promise<R>,
): Promise<R> {
  const mp = await open(options, wanted)
  try {
    return await body(mp)
  } finally {
    await mp.close()
  }
}

/** As `inContext`, for a command that is about other programs. */
export async function amongOthers<R>(
  command: string,
  options: PlaceOptions,
  body: (mp: Context) => Promise<R>,
  wanted: ConnectOptions = {},
): Promise<R> {
  refuseAlone(command, options)
  return inContext(options, wanted, body)
}

/** @throws Failure where there are no other programs */
export function refuseAlone(command: string, options: PlaceOptions): void {
  const [url] = urlsOf(options)
  if (url !== 'local:') return
  throw new Failure(
    2,
    `${command} is about other programs, and on local: there are none; give --url redis://host:6379 or local:NAME, or set SKEIN_URL`,
  )
}

export function urlsOf({ url }: PlaceOptions): readonly string[] {
  return url ?? [process.env['SKEIN_URL'] || 'local:']
}

/** The processes that run, but for this command's own. */
export async function othersIn(mp: Context): Promise<ProcessInfo[]> {
  const { id } = currentProcess()
  return (await mp.processes()).filter((one) => one.program !== id)
}

/** For people, and without a password. */
export function describePlace(options: PlaceOptions, mp: Context): string {
  return `${urlsOf(options).map(masked).join(' ')}, namespace ${mp.namespace}`
}

/** Without a password. */
export function masked(url: string): string {
  return url.replace(/\/\/.*@/, '//')
}

export async function open({ url, namespace }: PlaceOptions, wanted: ConnectOptions): Promise<Context> {
  const place = url?.length === 1 ? url[0] : url
  try {
    const mp = await connect(place, { ...wanted, namespace })
    if (url !== undefined) noteOther(url)
    return mp
  } catch (error) {
    if (!(error instanceof ArgumentError || error instanceof NotSupportedError)) throw error
    throw new Failure(2, asOption(error.message, url === undefined ? 'SKEIN_URL' : '--url'))
  }
}

/** Whoever has forgotten that the variable is set would look for their processes in the wrong place. */
function noteOther(url: readonly string[]): void {
  const { SKEIN_URL: other = '' } = process.env
  if (other === '' || (url.length === 1 && url[0] === other)) return
  process.stderr.write(`skein: --url is taken, and not SKEIN_URL, which is ${masked(other)}\n`)
}

/** What `connect()` says of its arguments, said of the options that they came from. */
function asOption(sentence: string, source: string): string {
  return sentence
    .replace('connect(): namespace', '--namespace')
    .replace('connect(): serve.labels', '--label')
    .replace(/connect\(\): serve\.(slots|root|allow|env)/, '--$1')
    .replace('connect(): serve: ', '')
    .replace('serve: { unsigned: true }', '--unsigned')
    .replace('connect()', source)
}
