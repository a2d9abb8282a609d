/** What whoever serves should know of how they do it: nothing of that is wrong everywhere, and so it is said and not refused. */
import { statSync } from 'node:fs'
import { masked } from './place.ts'

/** Of a file's mode: S_IROTH. */
const READ_BY_ALL = 0o004

/** One line, or none. */
export function warnOfRisks(urls: readonly string[]): void {
  const risks = [...asRoot(), ...urls.flatMap(onTheWay), ...secretInSight()]
  if (risks.length > 0) process.stderr.write(`skein: mind that ${risks.join(', and that ')}\n`)
}

function asRoot(): string[] {
  return process.getuid?.() === 0 ? ['what others start runs here as root'] : []
}

function onTheWay(url: string): string[] {
  const lacks = lacksOf(url)
  return lacks.length === 0 ? [] : [`${masked(url)} has ${lacks.join(' and ')}`]
}

/** It has been read, so it is there. */
function secretInSight(): string[] {
  const { SKEIN_SECRET_FILE: path = '' } = process.env
  if (path === '' || (statSync(path).mode & READ_BY_ALL) === 0) return []
  return [`${path}, which holds the secret, may be read by every user of this machine`]
}

/** Beyond this machine, others are on the way. */
function lacksOf(url: string): string[] {
  const [, scheme = '', password = '', host = ''] =
    /^([\w+]+):\/\/(?:[^:@/]*:?([^/]*)@)?(\[[^\]]*\]|[^:/,]*)/.exec(url) ?? []
  if (/^(?:localhost|\[::1\]|127(?:\.\d{1,3}){3})$/i.test(host)) return []
  return [...(scheme === 'rediss' ? [] : ['no TLS']), ...(password === '' ? ['no password'] : [])]
}
