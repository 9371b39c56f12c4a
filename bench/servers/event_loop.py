"""A protocol object for each connection on one event loop: the replies of one read leave in one write."""
import asyncio
import json
import struct
import sys

service = sys.argv[1]


class Connection(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.rest = b""

    def data_received(self, data):
        data = self.rest + data if self.rest else data
        self.rest = (self.frames if service == "echo" else self.lines)(data)

    def frames(self, data):
        at = 0
        while len(data) - at >= 4:
            end = at + 4 + struct.unpack_from(">I", data, at)[0]
            if end > len(data):
                break
            at = end
        if at > 0:
            self.transport.write(data[:at])  # an echo's reply is its request, byte for byte
        return data[at:]

    def lines(self, data):
        *lines, rest = data.split(b"\n")
        if lines:
            self.transport.write(b"".join(line[::-1] + b"\n" for line in lines))
        return rest

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1024)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
