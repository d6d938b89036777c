"""ZeroMQ with the green sockets of pyzmq."""
import gevent
import zmq.green as zmq
from gevent.event import AsyncResult

import gevent_load as load


def echo(address, askers):
    """Questions carry the number of their asker, to whom the reader hands the answer."""
    dealer = zmq.Context.instance().socket(zmq.DEALER)
    dealer.connect("tcp://%s:%d" % (address["host"], address["port"]))
    ids = [bytes([asker]) for asker in range(askers)]
    waiting = [None] * askers

    def read():
        while True:
            id, answer = dealer.recv_multipart()
            waiting[id[0]].set(answer)

    gevent.spawn(read)

    def ask(_n, asker):
        result = waiting[asker] = AsyncResult()
        dealer.send_multipart([ids[asker], load.MESSAGE])
        answer = result.get()
        load.check(answer == load.MESSAGE, answer)

    return ask, load.nothing


def one_way(_address, _askers):
    context = zmq.Context.instance()
    pull = context.socket(zmq.PULL)
    port = pull.bind_to_random_port("tcp://127.0.0.1")
    push = context.socket(zmq.PUSH)
    push.connect("tcp://127.0.0.1:%d" % port)
    sent, received = [0], [0]

    def read():
        while True:
            message = pull.recv()
            load.check(message == load.MESSAGE, message)
            received[0] += 1

    gevent.spawn(read)

    def ask(_n, _asker):
        push.send(load.MESSAGE)
        sent[0] += 1

    def settle():
        while received[0] < sent[0]:
            gevent.sleep(0.001)

    return ask, settle


if __name__ == "__main__":
    load.main({"echo": echo, "one way": one_way})
    zmq.Context.instance().destroy(linger=0)
