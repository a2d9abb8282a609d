const settled: Promise<void> = Promise.resolve()

/** As `queueMicrotask`, without the async resource that it makes for each task. What the task throws is a rejection that nobody handles. */
export function soon(task: () => void): void {
  void settled.then(task)
}
