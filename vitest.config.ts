// Tests run against the build: `@skein/core` is what `tsc -b` put into dist, loaded by Node itself.
// Only unit tests of internals import `../src/…`, which vitest compiles on the way.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import type { TestProjectInlineConfiguration } from 'vitest/config'

const report = process.env['SKEIN_TEST_REPORT']

/** Writes down what the JSON report leaves out: errors outside of all tests. */
const errors = {
  onTestRunEnd: (_modules: unknown, unhandled: readonly { readonly message: string }[]): void => {
    writeFileSync(`${String(report)}.errors`, JSON.stringify(unhandled.map(({ message }) => message)))
  },
}

const shared = {
  pool: 'forks',
  server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } },
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // What is waited for has no time of its own; this ends what never comes.
  expect: { poll: { timeout: 20_000 } },
  globalSetup: [fileURLToPath(new URL('integration-tests/support/redis-setup.ts', import.meta.url))],
} satisfies TestProjectInlineConfiguration['test']

export default defineConfig({
  test: {
    maxWorkers: 2,
    teardownTimeout: 30_000,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }], errors],
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts'],
          typecheck: {
            enabled: true,
            include: ['packages/*/test/**/*.test-d.ts'],
            tsconfig: 'tsconfig.tests.json',
            // Type errors outside the type tests are found by `pnpm check`.
            ignoreSourceErrors: true,
          },
        },
      },
      { test: { ...shared, name: 'integration', include: ['integration-tests/**/*.test.ts'] } },
    ],
  },
})
