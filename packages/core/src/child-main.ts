/** Entry of every child: learns who it is, runs its role, says what became of it and ends. */
import './child-mark.ts'
import { Socket } from 'node:net'
import { decode } from './codec/index.ts'
import { identify, nextSerial } from './current-process.ts'
import type { Boot } from './supervisor/boot.ts'
import { LastWord } from './supervisor/last-word.ts'
import { blockOutput } from './supervisor/own-output.ts'
import { runProcess } from './supervisor/run-process.ts'
import { OwnContext } from './own-context.ts'
import { type Frame, op } from './wire/frame.ts'
import { SocketLink } from './wire/socket-link.ts'
import { fileReader } from './wire/tenure-slot.ts'
import { BrokerClient } from './client/broker-client.ts'
import { type Ground, LinkedAdapter } from './client/linked-adapter.ts'
import { LinkedWorkerPort } from './client/worker-port.ts'

/** The descriptors that the supervisor leaves a child: the link's socket and, if the boot message says so, a pipe to write to. */
const LINK = 3
const PIPE = 4

const socket = new Socket({ fd: LINK, readable: true, writable: true })
let role: ((frame: Frame) => boolean) | null = null

const client = new BrokerClient((events) => {
  const link: SocketLink = new SocketLink(socket, LINK, {
    frame: (frame) => {
      if (frame.op === op.boot) begin(decode(frame.payload, refuse) as Boot, link)
      else if (role?.(frame) !== true) events.frame(frame)
    },
    // The supervisor is gone, and with it the program: nobody outlives it.
    ended: () => process.kill(process.pid, 'SIGKILL'),
  })
  return link
})
// Until it is told what to do there is nothing else that would keep this process alive.
client.hold()

function refuse(): never {
  throw new TypeError('a handle stood in a boot message')
}

function begin(boot: Boot, link: SocketLink): void {
  if (boot.pipe) link.writeTo(PIPE)
  if (boot.piped) blockOutput()
  if (boot.nature.confirmed) client.leased(boot.slot === 0 ? null : fileReader(boot.slot))
  const { id, name } = boot.process
  const ground: Ground = {
    client,
    nature: boot.nature,
    namespace: boot.namespace,
    program: boot.program,
    processId: id,
    next: nextSerial,
    leave: () => Promise.resolve(),
  }
  const home = new OwnContext(() => new LinkedAdapter(ground), boot.nature.scope, boot.daemon)
  identify({ id, name, daemon: boot.daemon, parent: boot.parent }, home)
  // What may be told late is told before the end, by whichever way it comes.
  process.on('exit', () => client.flush())
  // Ctrl-C reaches the whole group; what becomes of a child is the main program's decision.
  process.on('SIGINT', () => undefined)
  const word = new LastWord(link)
  const deps = { word, decode: (bytes: Uint8Array) => home.decode(bytes), close: () => home.close() }
  if (boot.role.kind === 'process') void runProcess(boot.role, deps)
  else {
    const port = new LinkedWorkerPort(link, deps.decode)
    role = (frame) => port.frame(frame)
    void port.run(boot.role, deps)
  }
}
