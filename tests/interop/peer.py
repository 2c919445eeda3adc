# SPDX-License-Identifier: BSD-3-Clause
#
# Programs in the background and in a directory of their own. The peer opens its keys by relative paths and writes
# files where it stands; so it stands in a directory of links to PEER_DIR.
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

REQUESTER, RESPONDER = "spdm_requester_emu", "spdm_responder_emu"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# Whether something listens on the port, by the table that `ss -ltn` reads: to connect would be a client for the peer,
# and it serves one.
def listening(port):
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path) as f:
            next(f)
            for line in f:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    return True
    return False


def shut_down(port, transport):
    """Ends the peer's responder as its own requester does, so that it writes its capture to the end."""
    frame = struct.pack(">III", 0xFFFE, transport, 0)
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as s:
            s.sendall(frame)
            s.settimeout(2)
            s.recv(len(frame))
    except OSError:
        pass  # it has ended, or will be


class Program:
    """A program under timeout(1), its output in a file. Ended by its process group, which is its own."""

    def __init__(self, command, log, cwd=None, env=None, limit=30):
        self.command, self.log = command, log
        self.out = open(log, "wb")
        self.out.write(("# " + " ".join(command) + "\n").encode())
        self.out.flush()
        self.process = subprocess.Popen(
            ["timeout", "-k", "2", str(limit), *command],
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.STDOUT,
            cwd=cwd, env=env, start_new_session=True,
        )

    def wait(self, seconds):
        """The exit code; None if it does not end in time."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def alive(self):
        return self.process.poll() is None

    def terminate(self):
        """SIGTERM, which timeout(1) passes on."""
        if self.alive():
            self.process.terminate()

    def kill(self):
        if self.alive():
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def end(self):
        """Ends what still runs."""
        if self.alive():
            self.terminate()
            if self.wait(3) is None:
                self.kill()
                self.wait(3)
        self.out.close()

    def wait_for(self, condition, seconds=10):
        until = time.monotonic() + seconds
        while not condition():
            if not self.alive() or time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True

    def text(self):
        with open(self.log, errors="replace") as f:
            return f.read()


class Peer:
    def __init__(self, directory, preload, work):
        self.directory = os.path.abspath(directory)
        self.env = dict(os.environ)
        if preload:
            self.env["LD_PRELOAD"] = os.path.abspath(preload)
        self.stands_in = os.path.join(work, "peer")
        os.mkdir(self.stands_in)
        for name in os.listdir(self.directory):
            os.symlink(os.path.join(self.directory, name), os.path.join(self.stands_in, name))

    def file(self, *path):
        return os.path.join(self.directory, *path)

    def start(self, program, options, log, limit):
        # line by line, or a log ends in the middle when the program is killed
        line_buffer = [shutil.which("stdbuf"), "-oL"] if shutil.which("stdbuf") else []
        return Program([*line_buffer, "./" + program, *options], log, self.stands_in, self.env, limit)
