/**
 * The public names of Python's `multiprocessing` and of `concurrent.futures.ProcessPoolExecutor`, as `__all__` and `dir()` of CPython 3.11.7
 * list them, with those that 3.14 added. Names that a class shares with its base are listed once.
 */
const members: Readonly<Record<string, string>> = {
  Process: 'authkey close daemon exitcode ident interrupt is_alive join kill name pid run sentinel start terminate',
  Queue: 'cancel_join_thread close empty full get get_nowait join_thread put put_nowait qsize',
  JoinableQueue: 'join task_done',
  SimpleQueue: '',
  Connection: 'close closed fileno poll readable recv recv_bytes recv_bytes_into send send_bytes writable',
  Lock: 'locked',
  RLock: 'locked',
  Semaphore: 'get_value',
  BoundedSemaphore: 'get_value',
  Condition: 'notify notify_all wait wait_for',
  Event: 'clear is_set set wait',
  Barrier: 'abort broken n_waiting parties reset wait',
  Pool: 'Process apply apply_async close imap imap_unordered join map map_async starmap starmap_async terminate',
  AsyncResult: 'get ready successful wait',
  IMapIterator: 'next',
  BaseManager: 'address connect get_server join register shutdown start',
  SyncManager: 'Namespace dict list',
  SharedMemoryManager: '',
  ProcessPoolExecutor: 'kill_workers map shutdown submit terminate_workers',
  Future:
    'add_done_callback cancel cancelled done exception result running set_exception set_result set_running_or_notify_cancel',
}

const plain =
  'Array AuthenticationError BufferTooShort Manager Pipe ProcessError RawArray RawValue TimeoutError Value active_children ' +
  'allow_connection_pickling cpu_count current_process freeze_support get_all_start_methods get_context get_logger ' +
  'get_start_method log_to_stderr parent_process reducer set_executable set_forkserver_preload set_start_method ' +
  'connection.Client connection.Listener connection.wait BaseProxy Namespace Token SharedMemory ShareableList sharedctypes.copy ' +
  'sharedctypes.synchronized ALL_COMPLETED BrokenExecutor BrokenProcessPool CancelledError FIRST_COMPLETED FIRST_EXCEPTION ' +
  'as_completed wait'

/** Of classes that are listed for a member or two, their own name is one of them. */
const unnamed = new Set(['AsyncResult', 'BaseManager', 'Connection', 'Future', 'IMapIterator'])

export const pythonNames: readonly string[] = [
  ...plain.split(' '),
  ...Object.keys(members).filter((name) => !unnamed.has(name)),
  ...Object.entries(members).flatMap(([owner, names]) =>
    names.split(' ').flatMap((name) => (name === '' ? [] : `${owner}.${name}`)),
  ),
]
