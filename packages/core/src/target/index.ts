/** Targets: functions named by reference, so that another process can run them. */
export { bind } from './bind.ts'
export { assertNotLoadingTarget, isLoadingTarget } from './bootstrap.ts'
export { childExecArgv } from './exec-argv.ts'
export { resolveTarget } from './resolve-target.ts'
export type { ResolveOptions } from './resolve-target.ts'
export type { TargetFunction } from './find-export.ts'
export { refOf } from './target-ref.ts'
