"""memcached with pymemcache, or else python-memcached, on gevent's sockets and a pool of 10."""
import gevent.monkey

gevent.monkey.patch_all()

import gevent_load as load

try:
    from pymemcache.client.base import Client

    def connect(host, port):
        return Client((host, port), no_delay=True)

except ImportError:
    import memcache

    def connect(host, port):
        return memcache.Client(["%s:%d" % (host, port)])


def get(address, _askers):
    lent = load.Lent([connect(address["host"], address["port"]) for _ in range(10)])

    def read(client, key):
        return client.get(key)

    def ask(n, _asker):
        id = load.id_of(n)
        value = lent.call(read, load.KEYS[id])
        load.check(value == load.VALUES[id], value)

    return ask, load.nothing


if __name__ == "__main__":
    load.main({"get": get})
