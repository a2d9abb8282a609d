"""Pool(2).map of trivial tasks.

Usage: bench_pool_map.py COUNT REPEATS WARM_UPS [CHUNKSIZE]
"""

import json
import multiprocessing as mp
import sys
import time


def increment(n):
    return n + 1


if __name__ == "__main__":
    count, repeats, warm_ups = (int(word) for word in sys.argv[1:4])
    chunksize = int(sys.argv[4]) if len(sys.argv) > 4 else None
    items = list(range(count))
    with mp.Pool(2) as pool:
        for _ in range(warm_ups):
            pool.map(increment, items, chunksize)
        seconds = 0.0
        total = 0
        for _ in range(repeats):
            started = time.perf_counter()
            results = pool.map(increment, items, chunksize)
            seconds += time.perf_counter() - started
            total += sum(results)
        pool.close()
        pool.join()
    print(json.dumps({"seconds": seconds, "count": count * repeats, "sum": total}))
