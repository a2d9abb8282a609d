/** Entry of every child: learns who it is, runs its role, says what became of it and ends. */
import './child-mark.ts'
import { Socket } from 'node:net'
import { decode } from './codec/index.ts'
import { askToEnd, identify, leaveHome, nextSerial, serialFrom } from './current-process.ts'
import type { Boot } from './supervisor/boot.ts'
import { LastWord } from './supervisor/last-word.ts'
import { reportTo } from './supervisor/memory-watch.ts'
import { blockOutput, outliveReaders } from './supervisor/own-output.ts'
import { type RoleDeps, runProcess } from './supervisor/run-process.ts'
import { OwnContext } from './own-context.ts'
import { obey } from './target/index.ts'
import { type Frame, op } from './wire/frame.ts'
import { SocketLink } from './wire/socket-link.ts'
import { fileReader } from './wire/tenure-slot.ts'
import { BrokerClient } from './client/broker-client.ts'
import { type Ground, LinkedAdapter } from './client/linked-adapter.ts'
import { LinkedWorkerPort } from './client/worker-port.ts'

/** The descriptor of the link's socket; the boot message tells of others. */
const LINK = 3

const socket = new Socket({ fd: LINK, readable: true, writable: true })
let role: ((frame: Frame) => boolean) | null = null
/** It goes on when its program ends. */
let detached = false
/** It has done what it was started for. */
let ending = false
/** Begins with what was held. */
let go: (() => void) | null = null

const client = new BrokerClient((events) => {
  const link: SocketLink = new SocketLink(socket, LINK, {
    frame: (frame) => {
      if (frame.op === op.boot) begin(decode(frame.payload, refuse) as Boot, link)
      else if (frame.op === op.interrupt) interrupted()
      else if (frame.op === op.go) began()
      else if (role?.(frame) !== true) events.frame(frame)
    },
    // The supervisor is gone, and with it the program.
    ended: () => {
      if (!detached) process.kill(process.pid, 'SIGKILL')
      process.off('SIGINT', ignoreCtrlC)
      outliveReaders()
      leaveHome()
      events.ended()
    },
  })
  return link
})
// Until it is told what to do there is nothing else that would keep this process alive.
client.hold()

function refuse(): never {
  throw new TypeError('a handle stood in a boot message')
}

/** Ctrl-C reaches the whole group; what becomes of a child is the main program's decision. */
function ignoreCtrlC(): void {
  // Nothing to do.
}

/** By `interrupt()`: with a listener of its own the program has the say, else SIGINT does what it does without us. */
function interrupted(): void {
  client.send(op.interrupt, 0, 0)
  client.flush()
  process.off('SIGINT', ignoreCtrlC)
  if (!askToEnd('SIGINT') || process.listenerCount('SIGINT') > 0) process.kill(process.pid, 'SIGINT')
}

function begin(boot: Boot, link: SocketLink): void {
  detached = boot.detached
  serialFrom(boot.serial)
  if (boot.policy !== null) obey(boot.policy)
  if (boot.pipe > 0) link.writeTo(boot.pipe)
  if (boot.piped) blockOutput()
  if (boot.report > 0) reportTo(boot.report)
  if (boot.nature.confirmed) client.leased(boot.slot === 0 ? null : fileReader(boot.slot))
  for (const alias of boot.nature.aliases ?? []) client.aliases.add(alias)
  const { id, name } = boot.process
  const ground: Ground = {
    client,
    nature: boot.nature,
    namespace: boot.namespace,
    program: boot.program,
    processId: id,
    next: nextSerial,
    get ending() {
      return ending
    },
    leave: () => Promise.resolve(),
  }
  const home = new OwnContext(() => new LinkedAdapter(ground), boot.nature.place, boot.daemon)
  identify({ id, name, daemon: boot.daemon, parent: boot.parent }, home)
  // What may be told late is told before the end, by whichever way it comes.
  process.on('exit', () => client.flush())
  process.on('SIGINT', ignoreCtrlC)
  const word = new LastWord(link)
  const close = (): Promise<void> => {
    ending = true
    return home.close()
  }
  const deps = { word, decode: (bytes: Uint8Array) => home.decode(bytes), close }
  const run = prepare(boot.role, link, deps)
  if (boot.held) go = run
  else run()
}

/** It was told to go, once. */
function began(): void {
  go?.()
  go = null
}

/** @returns loads and runs it */
function prepare(what: Boot['role'], link: SocketLink, deps: RoleDeps): () => void {
  if (what.kind === 'process') return () => void runProcess(what, deps)
  const port = new LinkedWorkerPort(link, deps.decode)
  role = (frame) => port.frame(frame)
  return () => void port.run(what, deps)
}
