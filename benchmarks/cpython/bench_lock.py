"""An uncontended lock, taken and released again and again.

Usage: bench_lock.py semaphore|manager COUNT
"""

import json
import multiprocessing as mp
import sys
import time


def cycle(lock, count):
    total = 0
    for _ in range(count):
        lock.acquire()
        total += 1
        lock.release()
    return total


if __name__ == "__main__":
    kind, count = sys.argv[1], int(sys.argv[2])
    lock = mp.Lock() if kind == "semaphore" else mp.Manager().Lock()
    cycle(lock, 2_000)
    started = time.perf_counter()
    total = cycle(lock, count)
    print(json.dumps({"seconds": time.perf_counter() - started, "count": count, "sum": total}))
