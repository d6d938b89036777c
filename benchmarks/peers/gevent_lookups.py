"""Looks up names at the same time: `gevent_lookups.py <dns port> <count>` prints milliseconds."""
import sys
import time

import gevent
from gevent.resolver.ares import Resolver

port, count = int(sys.argv[1]), int(sys.argv[2])
resolver = Resolver(servers=["127.0.0.1"], udp_port=port, tcp_port=port)
began = time.perf_counter()
jobs = [gevent.spawn(resolver.gethostbyname, "host-%d.test" % i) for i in range(count)]
gevent.joinall(jobs, raise_error=True)
print((time.perf_counter() - began) * 1000)
