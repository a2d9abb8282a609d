/** The supervisor thread: it hosts the broker, starts the children and never runs user code. */
import { hostname } from 'node:os'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { encode } from '../codec/index.ts'
import { AheadBoard } from '../wire/ahead-board.ts'
import { type Frame, op } from '../wire/frame.ts'
import { PortLink } from '../wire/port-link.ts'
import { PROTOCOL, VERSION } from '../wire/protocol.ts'
import { sharedSlot } from '../wire/tenure-slot.ts'
import type { ConnectSettings } from '../contract/adapter-module.ts'
import type { HostInfo } from '../contract/host.ts'
import type { Backend, SupervisorHost } from './backend.ts'
import type { Nature, ProcessInfo } from './boot.ts'
import { CtrlC } from './ctrl-c.ts'
import { monotonic } from '../util/clock.ts'
import { Broker, type ObjectFactory } from './broker/broker.ts'
import { FleetObject } from './broker/fleet.ts'
import { Inspector } from './broker/inspector.ts'
import { ProcessObject } from './broker/process.ts'
import { SessionObject } from './broker/session-object.ts'
import { Starter, type StarterHome } from './broker/starter.ts'
import { reportDefect } from './defect.ts'
import type { FifoStock } from './fifo-stock.ts'
import { Liveness } from './liveness.ts'

export interface ThreadData {
  readonly port: MessagePort
  readonly namespace: string
  readonly nature: Nature
  readonly settings: ConnectSettings
  /** What the adapter gave its entry. */
  readonly start: unknown
  readonly main: Omit<ProcessInfo, 'host'>
  /** The main program's tenure. */
  readonly slot: SharedArrayBuffer
  /** See ahead-board.ts. */
  readonly board: SharedArrayBuffer
  /**
   * First: 1 when everything has ended, for a main thread that waits without an event loop. Second: 1 while Ctrl-C is ours to carry out, for
   * the time when that thread cannot be asked.
   */
  readonly stopped: Int32Array
}

/** Milliseconds that children get between SIGTERM and SIGKILL when Ctrl-C ends a program that computes. */
const GRACE = 5_000

/** How the opening of a backend went; `failed` is the encoded error. */
export type Opening = { readonly failed: null; readonly scope: string } | { readonly failed: Uint8Array }

/** What the adapter gave this thread to start with. */
export function threadStart(): unknown {
  return (workerData as ThreadData).start
}

/**
 * Runs the thread.
 *
 * @param stock closed when everything is stopped
 */
export function supervise(stock: FifoStock, backend: Backend): void {
  // The thread's end would take every lock, queue and child of the program along, for an error that concerns one of them. Not at the top of
  // this file, which the main program loads with `@skein/core/adapter`, too.
  process.on('uncaughtException', (error) => reportDefect('its own work', error))
  const { port, namespace, settings, main, slot, board, stopped } = workerData as ThreadData
  let { nature } = workerData as ThreadData
  const kinds: Record<string, ObjectFactory> = {}
  const liveness = nature.confirmed ? new Liveness(settings) : null
  const broker = new Broker(kinds, {
    program: main.id,
    opened: (session) => backend.opened?.(session),
    ended: (session) => {
      liveness?.forget(session)
      backend.ended?.(session)
    },
    elsewhere: (of) => backend.elsewhere?.(of) ?? null,
  })
  const home: StarterHome = {
    program: main.id,
    namespace,
    get nature() {
      return nature
    },
    liveness,
    launching: () => ctrlC.watch(),
    // It may be there only when the backend is open.
    get placement() {
      return backend.placement ?? null
    },
  }
  const starter = new Starter(broker, home, stock)

  /** Where everything runs that it starts. */
  const itself = (): HostInfo => {
    const { id: program, pid } = main
    const busy = broker.processes().length - 1
    return {
      program,
      host: hostname(),
      pid,
      version: VERSION,
      protocol: PROTOCOL,
      slots: Number.POSITIVE_INFINITY,
      busy,
      labels: {},
      skew: 0,
      state: 'serving',
    }
  }

  let heard = 0
  let ask = (): void => undefined
  let stopping: Promise<void> | null = null
  let stop = (grace: number): Promise<void> => starter.stop(grace)
  const ctrlC = new CtrlC({
    ask: () => ask(),
    heard: () => heard,
    ours: () => Atomics.load(stopped, 1) === 1,
    stop: () => stop(GRACE),
    kill: () => starter.kill(),
  })

  const begin = (): void => {
    const about = { role: 'main', daemon: false, detached: false, parent: null, program: main.id } as const
    const session = broker.session({ ...main, host: hostname() }, { board: new AheadBoard(board), about })
    const drain = async (): Promise<void> => backend.drain?.()
    const common = {
      process: (name, spec) => new ProcessObject(name, spec, starter),
      fleet: (name, spec, owner) => new FleetObject(name, spec, owner, starter),
      inspector: (name) =>
        new Inspector(name, {
          look: async () => (await backend.inspect?.()) ?? broker.snapshot(),
          processes: async () => (await backend.processes?.()) ?? broker.processes(),
          hosts: async () => (await backend.hosts?.()) ?? [itself()],
        }),
      session: (name) =>
        new SessionObject(name, {
          lodges: (process) => starter.lodges(process),
          stop: (grace) => stop(grace),
          kill: () => starter.kill(),
          drain,
        }),
    } satisfies Record<string, ObjectFactory>
    const stopAll = async (grace: number): Promise<void> => {
      backend.stopping?.()
      await starter.stop(grace)
      liveness?.stop()
      if (backend.close !== undefined) {
        // What the main program itself held goes back before the backend does.
        broker.end(session)
        await backend.close()
      }
      await ctrlC.close()
      Atomics.store(stopped, 0, 1)
      Atomics.notify(stopped, 0)
    }
    // The main program may ask for what has begun for its sake.
    stop = (grace) => (stopping ??= stopAll(grace))
    ask = () => session.send(op.ping, 0, 0)
    // What it holds elsewhere must go back.
    if (backend.open !== undefined) ctrlC.watch()
    Object.assign(kinds, common, backend.kinds(broker, starter))
    const events = {
      frame: (frame: Frame) => {
        try {
          heard = monotonic()
          session.heard?.()
          session.frame(frame)
        } catch (error) {
          // This frame is lost; the frames behind it in the same chunk are not.
          reportDefect('a message of the main program', error)
        }
      },
      ended: () => {
        broker.end(session)
        // In a thread this ends the thread.
        process.exit()
      },
    }
    session.connect(new PortLink(port, events, true))
    liveness?.watch(session, sharedSlot(slot))
  }

  if (backend.open === undefined) begin()
  else {
    const tell = (opening: Opening): void => parentPort?.postMessage(opening, [])
    const host: SupervisorHost = {
      program: main.id,
      namespace,
      settings,
      sessions: () => broker.sessions(),
      confirm: (until) => liveness?.confirm(until),
      lose: (reason) => liveness?.lose(reason),
      confirmLocks: (session, until) => liveness?.confirmLocks(session, until),
      loseLocks: (session, reason) => liveness?.loseLocks(session, reason),
      interrupted: (on) => liveness?.interrupted(on),
      alias: (scope) => {
        const { aliases = [] } = nature
        if (scope === nature.scope || aliases.includes(scope)) return
        nature = { ...nature, aliases: [...aliases, scope] }
        for (const session of broker.sessions()) session.send(op.alias, 0, 0, Buffer.from(scope))
      },
    }
    void backend
      .open(host)
      .then((opened) => {
        if (opened !== undefined) nature = { ...nature, scope: opened.scope }
        begin()
        // What was learnt of before anybody was there to be told.
        for (const alias of nature.aliases ?? [])
          for (const session of broker.sessions()) session.send(op.alias, 0, 0, Buffer.from(alias))
      })
      .then(
        () => tell({ failed: null, scope: nature.scope }),
        async (error: unknown) => {
          tell({ failed: encode(error) })
          await stock.close()
          process.exit()
        },
      )
  }
}
