/** What other programs may run here, and what their processes get of this program's surroundings. */
import { hostname } from 'node:os'
import { SpawnError } from '@skein/core'
import type { ChildOptions, ServeSettings, Surroundings, TargetPolicy } from '@skein/core/adapter'
import picomatch from 'picomatch'

/** Variables of this program's that tell of no secrets, and without which little runs. */
const PASSED =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TMP|TEMP|NODE_ENV|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|SKEIN_\w+)$/i
/** Of those, what is this program's alone: the one may hold a password. */
const KEPT = /^SKEIN_(?:URL|SECRET|SECRET_FILE)$/i
/** By these a process would load other code than that of its target. */
const DECISIVE = /^(?:PATH|NODE_(?!ENV$)\w+|LD_\w+|DYLD_\w+|OPENSSL_CONF|SKEIN_(?:URL|SECRET|SECRET_FILE))$/i

/** Of Node's options those that only say how much it may use or tell. */
const HARMLESS =
  /^(?:--(?:max-old-space-size|max-semi-space-size|stack-size|stack-trace-limit)=\d+|--(?:enable-source-maps|trace-warnings|trace-uncaught|no-warnings|no-deprecation))$/

function decides(name: string, value: string | null): boolean {
  if (!DECISIVE.test(name)) return false
  if (name !== 'NODE_OPTIONS' || value === null) return true
  return !value.split(' ').every((option) => option === '' || HARMLESS.test(option))
}

export interface HouseRules {
  readonly targets: TargetPolicy
  readonly surroundings: Surroundings
  /** @throws SpawnError on what no other program may ask for */
  check(options: Pick<ChildOptions, 'env'>): void
}

/** @param own this program's */
export function houseRules({ root, allow, env }: ServeSettings, own: Surroundings): HouseRules {
  const passed = Object.entries(own.env).filter(
    ([name]) => env.includes(name) || (PASSED.test(name) && !KEPT.test(name)),
  )
  return {
    targets: { root, allow: allow.map((glob) => picomatch.makeRe(glob, { dot: true }).source) },
    surroundings: { ...own, env: Object.fromEntries(passed), cwd: root },
    check: (options) => {
      const [name] = Object.entries(options.env).find(([one, value]) => decides(one, value)) ?? []
      if (name === undefined) return
      throw new SpawnError(
        `Host ${hostname()} lets no other program set ${name} for what it runs: it would decide which code that is; leave it out of env`,
      )
    },
  }
}
