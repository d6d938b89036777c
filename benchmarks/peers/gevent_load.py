"""So many greenlets, each with one question under way, for some time: as src/adapters/load.ts has it."""
import json
import resource
import sys
import time

import gevent
from gevent.queue import Queue

AMOUNT = 1000
NAMES = ["name-%d" % id for id in range(AMOUNT)]
KEYS = ["thing-%d" % id for id in range(AMOUNT)]
VALUES = [str(id).ljust(100, ".").encode() for id in range(AMOUNT)]
MESSAGE = b"x" * 100


def id_of(n):
    return (n * 7919) % AMOUNT


def check(right, answer):
    if not right:
        raise ValueError("wrong answer: %.200r" % (answer,))


class Lent:
    """
    Connections, each lent to one greenlet at a time: a queue of them, as gevent's own example of a pool
    has it. It is not fair: who gives one back may have it again before those who wait.
    """

    def __init__(self, connections):
        self.free = Queue()
        for each in connections:
            self.free.put(each)

    def call(self, ask, *args):
        connection = self.free.get()
        try:
            return ask(connection, *args)
        finally:
            self.free.put(connection)


def processor_time():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(jobs):
    """`jobs` are functions of (address, askers) that return ask(n, asker), and settle() if there is one."""
    job, settings = sys.argv[1], json.loads(sys.argv[2])
    address, askers, seconds = settings["address"], settings["askers"], settings["seconds"]
    ask, settle = jobs[job](address, askers)
    count = [0]

    def measure(length):
        latencies = []
        spent, began = processor_time(), time.perf_counter()
        until = began + length

        def one(asker):
            now = time.perf_counter()
            while now < until:
                sent = now
                n = count[0]
                count[0] = n + 1
                ask(n, asker)
                now = time.perf_counter()
                latencies.append(now - sent)

        gevent.joinall([gevent.spawn(one, asker) for asker in range(askers)], raise_error=True)
        settle()
        spent, elapsed = processor_time() - spent, time.perf_counter() - began
        latencies.sort()
        return {
            "processor": spent * 1e9 / len(latencies),
            "rate": len(latencies) / elapsed,
            "p99": latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))] * 1000,
        }

    measure(max(0.5, seconds / 2))
    print(json.dumps(measure(seconds)), flush=True)


def nothing():
    pass
