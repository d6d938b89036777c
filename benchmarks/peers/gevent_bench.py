"""The same figures with gevent. Prints one number: nanoseconds per operation (bytes for memory)."""
import resource
import sys
import time

import gevent
from gevent.event import Event
from gevent.lock import Semaphore
from gevent.pool import Pool
from gevent.queue import Queue
from greenlet import getcurrent, greenlet


def timed(count, body):
    times = []
    for _ in range(5):
        start = time.perf_counter_ns()
        body(count)
        times.append((time.perf_counter_ns() - start) / count)
    return sorted(times)[2]


def round_trip(depth):
    main = getcurrent()

    def below(n):
        if n:
            return below(n - 1) + 1
        while True:
            main.switch()

    other = greenlet(lambda: below(depth))

    def body(count):
        for _ in range(count):
            other.switch()

    return timed(100_000, body)


def spawn_join(count):
    for _ in range(count):
        gevent.spawn(lambda: 1).join()


def spawn_many(count):
    for _ in range(0, count, 1000):
        gevent.joinall([gevent.spawn(lambda: 1) for _ in range(1000)])


def sleep_zero(count):
    def loop():
        for _ in range(count // 2):
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(loop), gevent.spawn(loop)])


def event_ping_pong(count):
    ping, pong = Event(), Event()

    def other():
        for _ in range(count):
            ping.wait()
            ping.clear()
            pong.set()

    peer = gevent.spawn(other)
    for _ in range(count):
        ping.set()
        pong.wait()
        pong.clear()
    peer.join()


def queue_ping_pong(count):
    ping, pong = Queue(), Queue()

    def other():
        for _ in range(count):
            pong.put(ping.get())

    peer = gevent.spawn(other)
    for i in range(count):
        ping.put(i)
        pong.get()
    peer.join()


def semaphore(count):
    lock = Semaphore(1)

    def loop():
        for _ in range(count // 10):
            lock.acquire()
            gevent.sleep(0)
            lock.release()

    gevent.joinall([gevent.spawn(loop) for _ in range(10)])


def timeouts(count):
    for _ in range(count):
        with gevent.Timeout(60):
            pass


def parked_bytes():
    def below(n):
        if n:
            return below(n - 1) + 1
        Event().wait()

    def rss():
        with open('/proc/self/statm') as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()

    before = rss()
    keep = [gevent.spawn(below, 15) for _ in range(10_000)]
    gevent.sleep(0.2)
    return (rss() - before) / len(keep)


FIGURES = {
    'round trip, depth 1': lambda: round_trip(1),
    'round trip, depth 15': lambda: round_trip(15),
    'spawn+join': lambda: timed(5_000, spawn_join),
    'spawn+join, 1,000 at a time': lambda: timed(10_000, spawn_many),
    'sleep(0)': lambda: timed(50_000, sleep_zero),
    'Event ping-pong': lambda: timed(10_000, event_ping_pong),
    'Queue ping-pong': lambda: timed(10_000, queue_ping_pong),
    'Semaphore, contended by 10': lambda: timed(20_000, semaphore),
    'Pool.map per item': lambda: timed(5_000, lambda n: Pool(10).map(lambda x: x, range(n))),
    'Timeout per block': lambda: timed(10_000, timeouts),
    'bytes per parked, depth 15': parked_bytes,
}

if __name__ == '__main__':
    print(FIGURES[sys.argv[1]]())
