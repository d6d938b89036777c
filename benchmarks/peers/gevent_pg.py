"""PostgreSQL with psycopg2, which waits as psycogreen has it."""
import gevent.monkey

gevent.monkey.patch_all()

import psycopg2
from psycopg2 import extensions

import gevent_load as load

try:
    from psycogreen.gevent import patch_psycopg
except ImportError:
    from gevent.socket import wait_read, wait_write

    def wait(connection):
        while True:
            state = connection.poll()
            if state == extensions.POLL_OK:
                return
            if state == extensions.POLL_READ:
                wait_read(connection.fileno())
            elif state == extensions.POLL_WRITE:
                wait_write(connection.fileno())
            else:
                raise psycopg2.OperationalError("bad state: %r" % state)

    def patch_psycopg():
        extensions.set_wait_callback(wait)


patch_psycopg()


def pool(address, prepare=None):
    def connect():
        connection = psycopg2.connect(
            host=address["host"],
            port=address["port"],
            user=address["user"],
            password=address["password"],
            dbname=address["database"],
        )
        connection.autocommit = True
        if prepare:
            with connection.cursor() as cursor:
                cursor.execute(prepare)
        return connection

    return load.Lent([connect() for _ in range(10)])


def job(text, prepare=None):
    def open_client(address, _askers):
        lent = pool(address, prepare)

        def read(connection, id):
            with connection.cursor() as cursor:
                cursor.execute(text, (id,))
                return cursor.fetchall()

        def ask(n, _asker):
            id = load.id_of(n)
            rows = lent.call(read, id)
            load.check(rows == [(id, load.NAMES[id])], rows)

        return ask, load.nothing

    return open_client


if __name__ == "__main__":
    load.main(
        {
            "query": job("SELECT id, name FROM things WHERE id = %s"),
            "prepared": job(
                "EXECUTE thing (%s)",
                "PREPARE thing (integer) AS SELECT id, name FROM things WHERE id = $1",
            ),
        }
    )
