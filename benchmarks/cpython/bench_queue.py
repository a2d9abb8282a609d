"""One producer process to one consumer process over multiprocessing.Queue, item by item.

Usage: bench_queue.py ints|bytes COUNT
The clock runs from just before the first put to just after the last get, once both sides are warm and ready.
"""

import json
import multiprocessing as mp
import sys
import time

WARM_UP = 50_000


def produce(kind, count, queue, gate, out):
    payloads = [bytes([i]) * 1024 for i in range(256)]
    for round_count in (WARM_UP, count):
        gate.wait()
        started = time.monotonic_ns()
        if kind == "ints":
            for i in range(round_count):
                queue.put(i)
        else:
            for i in range(round_count):
                queue.put(payloads[i & 255])
    out.send(started)


def consume(kind, count, queue, gate, out):
    for round_count in (WARM_UP, count):
        gate.wait()
        total = 0
        if kind == "ints":
            for _ in range(round_count):
                total += queue.get()
        else:
            for _ in range(round_count):
                item = queue.get()
                total += len(item) + item[0]
        ended = time.monotonic_ns()
    out.send((ended, total))


if __name__ == "__main__":
    kind, count = sys.argv[1], int(sys.argv[2])
    queue = mp.Queue()
    gate = mp.Barrier(2)
    started_here, started_there = mp.Pipe(False)
    ended_here, ended_there = mp.Pipe(False)
    sides = [
        mp.Process(target=produce, args=(kind, count, queue, gate, started_there)),
        mp.Process(target=consume, args=(kind, count, queue, gate, ended_there)),
    ]
    for side in sides:
        side.start()
    started = started_here.recv()
    ended, total = ended_here.recv()
    for side in sides:
        side.join()
    print(json.dumps({"seconds": (ended - started) / 1e9, "count": count, "sum": total}))
