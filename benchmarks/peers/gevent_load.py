"""So many greenlets, each with one question under way, for some time: as src/adapters/load.ts has it."""
import json
import resource
import sys
import time
from collections import deque
from queue import Full

import gevent
from gevent.hub import Waiter, get_hub

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


class FairQueue:
    """
    Hands over to who has waited longest. Of gevent's queue, the asker who gives a connection back has it
    again at once: a few askers get all the answers, and the others wait to the end.
    """

    def __init__(self, maxsize=0):
        self.maxsize = maxsize
        self.items = []
        self.waiting = deque()

    def put_nowait(self, item):
        if self.waiting:
            get_hub().loop.run_callback(self.waiting.popleft().switch, item)
        elif self.maxsize and len(self.items) >= self.maxsize:
            raise Full
        else:
            self.items.append(item)

    def get(self, block=True, timeout=None):
        if self.items:
            return self.items.pop()
        waiter = Waiter()
        self.waiting.append(waiter)
        return waiter.get()


class Lent:
    """Connections, each lent to one greenlet at a time."""

    def __init__(self, connections):
        self.free = FairQueue()
        for each in connections:
            self.free.put_nowait(each)

    def call(self, ask, *args):
        connection = self.free.get()
        try:
            return ask(connection, *args)
        finally:
            self.free.put_nowait(connection)


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

    measure(max(2, seconds / 2))
    print(json.dumps(measure(seconds)), flush=True)


def nothing():
    pass
