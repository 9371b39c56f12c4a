"""The tutorial's client for many clients at once: no end of a message, one recv. Arguments: port, message."""
import socket
import sys

s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.connect(("127.0.0.1", int(sys.argv[1])))
s.send(sys.argv[2].encode("ascii"))
data = s.recv(1024)
print("Received from the server :", str(data.decode("ascii")))
s.close()
