"""A process that does nothing: start and join, one after the other, with the start method `spawn`.

Usage: bench_start.py COUNT
"""

import json
import multiprocessing as mp
import sys
import time


def nothing():
    pass


def run(context, count):
    returned = 0
    for _ in range(count):
        process = context.Process(target=nothing)
        process.start()
        process.join()
        returned += process.exitcode == 0
    return returned


if __name__ == "__main__":
    count = int(sys.argv[1])
    context = mp.get_context("spawn")
    run(context, 2)
    started = time.perf_counter()
    returned = run(context, count)
    print(json.dumps({"seconds": time.perf_counter() - started, "count": count, "sum": returned}))
