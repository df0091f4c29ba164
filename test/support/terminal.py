"""Runs a program on a terminal of 80 columns, and answers what it asks.

Reads {"argv", "cwd", "env", "steps": [[a pattern of what it shows, what is typed then], ...]} from standard
input, and writes {"shown", "status"}: all that the terminal showed, and the exit status.
"""
import fcntl, json, os, pty, re, select, struct, sys, termios, time

job = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(job["cwd"])
    os.execve(job["argv"][0], job["argv"], job["env"])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

shown = b""
deadline = time.monotonic() + job.get("seconds", 60)

def read():
    """More of what it shows; false at its end."""
    global shown
    ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
    if not ready:
        os.kill(pid, 9)
        sys.exit(json.dumps({"late": shown.decode(errors="replace")}))
    try:
        more = os.read(terminal, 65536)
    except OSError:
        return False
    shown += more
    return more != b""

def text(since):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown[since:].decode(errors="replace"))

since = 0
for expected, typed in job["steps"]:
    while not re.search(expected, text(since), re.S):
        if not read():
            break
    since = len(shown)
    try:
        os.write(terminal, typed.encode())
    except OSError:
        break
while read():
    pass
_, status = os.waitpid(pid, 0)
json.dump({"shown": shown.decode(errors="replace"), "status": os.waitstatus_to_exitcode(status)}, sys.stdout)
