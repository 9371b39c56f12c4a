"""Sends pseudo-random bytes and receives them again, at once; compares their hashes. Arguments: port, bytes, seed."""
import hashlib
import random
import socket
import sys
import threading

port, total, seed = (int(argument) for argument in sys.argv[1:])
s = socket.create_connection(("127.0.0.1", port))
sent = hashlib.sha256()


def send():
    numbers = random.Random(seed)
    left = total
    while left > 0:
        block = numbers.randbytes(min(left, 1 << 20))
        sent.update(block)
        s.sendall(block)
        left -= len(block)
    s.shutdown(socket.SHUT_WR)


sender = threading.Thread(target=send)
sender.start()
received, size = hashlib.sha256(), 0
while chunk := s.recv(1 << 18):
    received.update(chunk)
    size += len(chunk)
sender.join()
print("identical" if received.digest() == sent.digest() else "different", size)
