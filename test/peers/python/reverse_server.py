"""The tutorial's server: a thread for each client. Prints its port."""
import socket
from _thread import start_new_thread


def threaded(c):
    while True:
        data = c.recv(1024)
        if not data:
            print("Bye", flush=True)
            break
        data = data[::-1]
        c.send(data)
    c.close()


s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.bind(("127.0.0.1", 0))
print("port", s.getsockname()[1], flush=True)
s.listen(5)
while True:
    c, addr = s.accept()
    start_new_thread(threaded, (c,))
