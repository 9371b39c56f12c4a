"""The tutorial's CRC server: one recv, one answer, close; it appends zeros once more and divides. Prints its port."""
import socket

from crc_textbook import KEY, remainder

s = socket.socket()
s.bind(("127.0.0.1", 0))
print("port", s.getsockname()[1], flush=True)
s.listen(5)
while True:
    c, addr = s.accept()
    data = c.recv(1024).decode()
    if not data:
        c.close()
        continue
    zeros = "0" * (len(KEY) - 1)
    found = remainder(data + zeros)
    print("Remainder after decoding is->" + found, flush=True)
    if found == zeros:
        c.sendall(("THANK you Data ->" + data + " Received No error FOUND").encode())
    else:
        c.sendall(b"Error in data")
    c.close()
