"""Ping-pong over multiprocessing.Pipe: the main process sends a number, a child sends it back plus one.

Usage: bench_pipe.py COUNT
"""

import json
import multiprocessing as mp
import sys
import time


def echo(end):
    while (n := end.recv()) is not None:
        end.send(n + 1)


def play(end, count):
    total = 0
    for i in range(count):
        end.send(i)
        total += end.recv()
    return total


if __name__ == "__main__":
    count = int(sys.argv[1])
    here, there = mp.Pipe()
    child = mp.Process(target=echo, args=(there,))
    child.start()
    play(here, 2_000)
    started = time.perf_counter()
    total = play(here, count)
    seconds = time.perf_counter() - started
    here.send(None)
    child.join()
    print(json.dumps({"seconds": seconds, "count": count, "sum": total}))
