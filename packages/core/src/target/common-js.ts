/**
 * The exports of a CommonJS module that this process has loaded. They can be read without waiting, and they say more than
 * `import()` does, which sees only the names that a lexer finds in the module's text.
 */
import { createRequire } from 'node:module'

/** `module.exports` of the file `path`; `undefined` if it is no CommonJS module or was not loaded. */
export function commonJsExports(path: string): unknown {
  const { cache } = createRequire(path)
  return Object.hasOwn(cache, path) ? cache[path]?.exports : undefined
}

/**
 * Export names and values: `module.exports` itself is `default`, as for `import()`. Getters are read only in modules built from
 * ES modules, whose every export is one; elsewhere they may load half a library.
 */
export function commonJsEntries(exports: unknown): [string, unknown][] {
  if (typeof exports !== 'function' && (typeof exports !== 'object' || exports === null)) return []
  const isBuilt = Object.hasOwn(exports, '__esModule')
  const entries: [string, unknown][] = typeof exports === 'function' ? [['default', exports]] : []
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(exports))) {
    if ('value' in descriptor) entries.push([name, descriptor.value])
    else if (isBuilt) entries.push([name, Reflect.get(exports, name)])
  }
  return entries
}
