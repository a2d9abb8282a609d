/** The line of SECURITY.md that makes the server's user, for tests that run as that user. */
import { readFileSync } from 'node:fs'

const text = readFileSync(new URL('../../SECURITY.md', import.meta.url), 'utf8')

/** The words behind `ACL SETUSER`. */
export function aclUser({ namespace, password }: { readonly namespace: string; readonly password: string }): string[] {
  const line = /^\s*ACL SETUSER (.+)$/m.exec(text)?.[1]
  if (line === undefined) throw new Error('SECURITY.md has no line that begins with ACL SETUSER')
  return line.replaceAll('NAMESPACE', namespace).replaceAll('PASSWORD', password).split(' ')
}
