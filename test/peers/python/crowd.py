"""Opens all connections before it uses any, then asks on each. Arguments: port, number of connections."""
import resource
import socket
import sys

port, count = int(sys.argv[1]), int(sys.argv[2])
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

crowd = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(count)]
for n, s in enumerate(crowd):
    s.sendall(f"client {n}\n".encode())
served = 0
for n, s in enumerate(crowd):
    expected = f"client {n}"[::-1].encode() + b"\n"
    received = b""
    while len(received) < len(expected):
        chunk = s.recv(100)
        if not chunk:
            break
        received += chunk
    served += received == expected
for s in crowd:
    s.close()
print(f"{served} of {count} served")
