/**
 * Makes a program of the snippets in a document. A block marked with a file name becomes that module; each other one becomes a block of the
 * program's main part, with a context `mp` and all that the modules export at hand. `expression // → text` shows what it gives, as Node prints
 * it, and `expression // throws Name` what it throws.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const BLOCK = /^```ts(?: (?<file>\S+))?\n(?<text>[^]*?)^```$/gm
const CLAIM = /^(?<indent> *)(?<code>\S.*?) *\/\/ (?<kind>→|throws) (?<said>.+)$/
const EXPORT = /^export (?:async )?function\*? (?<name>\w+)/gm
const FUNCTION = /^(?:async )?function\*? [^]*?^\}$/gm

export interface SnippetProgram {
  readonly folder: string
  readonly file: string
  /** How many claims the program checks: it prints each of them when it holds. */
  readonly claims: number
}

/** Written beside this package's sources, so that its imports mean the same. Gone when the test is over. */
export function programOf(document: string): SnippetProgram {
  const root = join(import.meta.dirname, '..', '.snippets')
  mkdirSync(root, { recursive: true })
  const folder = mkdtempSync(join(root, 'program-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))

  const modules: string[] = []
  const blocks: string[] = []
  const functions: string[] = []
  let claims = 0
  for (const { groups } of readFileSync(document, 'utf8').matchAll(BLOCK)) {
    const { file, text = '' } = groups ?? {}
    if (file === undefined) {
      // What is declared below its use in a block is declared for the whole program.
      functions.push(...(text.match(FUNCTION) ?? []))
      const lines = text.replaceAll(FUNCTION, '').split('\n')
      claims += lines.filter((line) => CLAIM.test(line)).length
      blocks.push(`  {\n${lines.map((line) => `    ${checked(line)}`).join('\n')}\n  }`)
    } else {
      writeFileSync(join(folder, file), text)
      const names = [...text.matchAll(EXPORT)].map((found) => found.groups?.['name'] ?? '')
      modules.push(`import { ${names.join(', ')} } from './${file}'`)
    }
  }
  writeFileSync(join(folder, 'program.ts'), [HEAD, ...modules, ...functions, MAIN(blocks), ''].join('\n'))
  return { folder, file: 'program.ts', claims }
}

function checked(line: string): string {
  const { code = '', kind, said = '' } = CLAIM.exec(line)?.groups ?? {}
  if (kind === undefined) return line
  const text = JSON.stringify(said)
  if (kind === 'throws') return `await throwing(async () => ${code}, ${text})`
  return `showing(${code}, ${text})`
}

const HEAD = `
import { inspect } from 'node:util'
import { connect, isMainProcess } from '@skein/core'

function showing(value: unknown, said: string): void {
  const shown = inspect(value, { breakLength: Infinity })
  if (shown !== said) throw new Error('said ' + said + ', is ' + shown)
  console.log('→ ' + said)
}

async function throwing(body: () => unknown, said: string): Promise<void> {
  let error: unknown = null
  try {
    await body()
  } catch (thrown) {
    error = thrown
  }
  const shown = error instanceof Error ? error.name : inspect(error)
  if (shown !== said) throw new Error('said that it throws ' + said + ', throws ' + inspect(error))
  console.log('throws ' + said)
}
`

const MAIN = (blocks: readonly string[]): string => `
if (isMainProcess) {
  const mp = await connect()
${blocks.join('\n')}
  await mp.close()
}
`
