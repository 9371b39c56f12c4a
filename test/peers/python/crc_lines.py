"""Either end of the exchange with ACK and NAK, as lines: CRC-32 in hexadecimal, then DATA, ACK or NAK and a number.

Arguments: "client", port, messages: each is spoilt once before it goes as it should; or "server", and each first frame
gets a NAK, though it was good.
"""
import socket
import sys
import zlib


def line(content):
    return f"{zlib.crc32(content.encode()):08X}{content}\n".encode()


def parse(text):
    crc, content = text[:8], text[8:]
    return content.split(" ", 3)[1:] if f"{zlib.crc32(content.encode()):08X}" == crc else None


if sys.argv[1] == "client":
    with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as s:
        answers = s.makefile("r", encoding="utf-8", newline="\n")
        for number, message in enumerate(sys.argv[3:]):
            good = line(f" DATA {number} {message}")
            for frame in (good[:-2] + b"?\n", good, good):
                s.sendall(frame)
                print(*parse(answers.readline().rstrip("\n")), flush=True)
else:
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    c, _ = listener.accept()
    expected, refused = 0, False
    for text in c.makefile("r", encoding="utf-8", newline="\n"):
        kind, number, *message = parse(text.rstrip("\n"))
        if not refused:
            refused = True
            c.sendall(line(f" NAK {expected}"))
            continue
        refused = False
        if int(number) == expected:
            print("handled", *message, flush=True)
            expected = (expected + 1) % 256
        c.sendall(line(f" ACK {expected}"))
