"""Runs a program at a terminal and types what it is told to, each line after its prompt. Prints the transcript as JSON.

Arguments: a JSON array of [prompt, keys] pairs, then the command.
"""
import json
import os
import pty
import sys

script, command = json.loads(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
seen, at = "", 0
while True:
    try:
        data = os.read(terminal, 1024)
    except OSError:  # the program has closed the terminal
        break
    if not data:
        break
    seen += data.decode()
    while script and seen.find(script[0][0], at) >= 0:
        at = seen.find(script[0][0], at) + len(script[0][0])
        os.write(terminal, script.pop(0)[1].encode())
_, status = os.waitpid(pid, 0)
print(json.dumps({"exit": os.waitstatus_to_exitcode(status), "transcript": seen.replace("\r\n", "\n")}))
