"""MySQL with PyMySQL, on gevent's sockets."""
import gevent.monkey

gevent.monkey.patch_all()

import pymysql

import gevent_load as load


def query(address, _askers):
    def connect():
        return pymysql.connect(
            host=address["host"],
            port=address["port"],
            user=address["user"],
            password=address["password"],
            database=address["database"],
            autocommit=True,
        )

    lent = load.Lent([connect() for _ in range(10)])

    def read(connection, id):
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, name FROM things WHERE id = %s", (id,))
            return cursor.fetchall()

    def ask(n, _asker):
        id = load.id_of(n)
        rows = lent.call(read, id)
        load.check(rows == ((id, load.NAMES[id]),), rows)

    return ask, load.nothing


if __name__ == "__main__":
    load.main({"query": query})
