"""Redis with redis-py, on gevent's sockets and a pool of 10: its connections are not pipelined."""
import gevent.monkey

gevent.monkey.patch_all()

import redis

import gevent_load as load


def get(address, _askers):
    pool = redis.BlockingConnectionPool(
        host=address["host"],
        port=address["port"],
        password=address["password"],
        max_connections=10,
        queue_class=load.FairQueue,
    )
    client = redis.Redis(connection_pool=pool)

    def ask(n, _asker):
        id = load.id_of(n)
        value = client.get(load.KEYS[id])
        load.check(value == load.VALUES[id], value)

    return ask, load.nothing


if __name__ == "__main__":
    load.main({"get": get})
