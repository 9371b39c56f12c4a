"""The tutorial's CRC client: one codeword as text, one recv. Arguments: port, message, bits to flip (from 0)."""
import socket
import sys

from crc_textbook import encode

s = socket.socket()
s.connect(("127.0.0.1", int(sys.argv[1])))
data, codeword = encode(sys.argv[2])
print("Entered data in binary format :", data)
print("Encoded data to be sent to server in binary format :", codeword)
sent = list(codeword)
for at in sys.argv[3:]:
    sent[int(at)] = "10"[int(sent[int(at)])]
s.sendall("".join(sent).encode())
print("Received feedback from server :", s.recv(1024).decode())
s.close()
