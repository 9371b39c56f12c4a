"""The tutorial's first client, which only receives. Argument: port."""
import socket
import sys

s = socket.socket()
s.connect(("127.0.0.1", int(sys.argv[1])))
print(s.recv(1024).decode())
s.close()
