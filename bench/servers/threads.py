"""A thread for each connection, as the tutorial does it: blocking reads, one send for each reply."""
import json
import socket
import struct
import sys
import threading

service = sys.argv[1]


def echo(stream, connection):
    while head := stream.read(4):
        connection.sendall(head + stream.read(struct.unpack(">I", head)[0]))


def reverse(stream, connection):
    while line := stream.readline():
        connection.sendall(line[-2::-1] + b"\n")


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as stream:
        try:
            (echo if service == "echo" else reverse)(stream, connection)
        except OSError:
            pass  # the peer is gone


def accept(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
threading.Thread(target=accept, args=(listener,), daemon=True).start()
sys.stdin.read()
