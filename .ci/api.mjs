// The public API of each package as a text in docs/api, so that a review shows what a change does to it. Part of `pnpm check`, which fails
// where a text is not what the build says; `pnpm api` writes them anew.
// `@skein/core/adapter` is left out: it moves with the internals as long as all adapters are built here.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { Extractor, ExtractorConfig, ExtractorLogLevel, ExtractorMessageCategory } from '@microsoft/api-extractor'

const root = path.dirname(import.meta.dirname)
const reports = path.join(root, 'docs', 'api')
const scratch = path.join(root, '.test-output', 'api')
const write = process.argv.includes('--write')

/** What the front door of a package exports, in the order of the alphabet. */
function report(projectFolder, types) {
  const name = path.basename(projectFolder)
  const compilerOptions = { target: 'es2023', lib: ['es2023'], module: 'nodenext', types: ['node'], strict: true }
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder,
      mainEntryPointFilePath: path.join(projectFolder, types),
      newlineKind: 'lf',
      compiler: { overrideTsconfig: { compilerOptions: { ...compilerOptions, skipLibCheck: true }, files: [types] } },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: scratch,
        reportTempFolder: `${scratch}/new`,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Error, addToApiReportFile: true },
          // It is about what there is, not about its comments.
          'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None },
          'ae-undocumented': { logLevel: ExtractorLogLevel.None },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: path.join(projectFolder, 'package.json'),
  })
  Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      // It tells of its own version, and that it has written a file.
      if (message.category === ExtractorMessageCategory.Console) message.handled = true
    },
  })
  return tidy(config.packageJson.name, readFileSync(config.reportFilePath, 'utf8'))
}

/** With a heading of its own, and without what stands on nearly every line and says nothing. */
function tidy(name, text) {
  const code = text.slice(text.indexOf('```ts'))
  const lines = code.split('\n').filter((line) => !/^ *\/\/ (@public|\(undocumented\)|\(No @package)/.test(line))
  const kept = lines
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .replaceAll(/(?<=```ts\n)\n|\n(?=\n```)/g, '')
  return `# The public API of ${name}\n\nWritten by \`npx --yes pnpm@12 api\`, not by hand.\n\n${kept}`
}

mkdirSync(reports, { recursive: true })
mkdirSync(scratch, { recursive: true })
const stale = []
for (const folder of readdirSync(path.join(root, 'packages'))) {
  const projectFolder = path.join(root, 'packages', folder)
  const { exports } = JSON.parse(readFileSync(path.join(projectFolder, 'package.json'), 'utf8'))
  const types = exports['.']?.types
  if (types === undefined) continue
  const text = report(projectFolder, types)
  const file = path.join(reports, `${folder}.api.md`)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  if (write) writeFileSync(file, text)
  else stale.push(path.relative(root, file))
}

if (stale.length > 0) {
  console.error(
    `The public API is not what ${stale.join(', ')} says. If that is meant: npx --yes pnpm@12 api, and commit what it writes.`,
  )
  process.exit(1)
}
