# SPDX-License-Identifier: BSD-3-Clause
#
# A proxy between both programs that does one thing to one message:
#   flip:NAME   the first response NAME gets a bit inverted eight bytes before its end, in the signature if it has one
#   kill:NAME   the peer is killed when the request NAME is on its way
#   drop:NAME   the first message NAME is lost
#               NAME can be SECURED_REQUEST or SECURED_RESPONSE as well: a record, whatever is in it
#   endpoint:N  after the N-th frame from the responder it is asked, out of band, for the requester's endpoint information
#   update:N    after the N-th record from the responder it is asked, out of band, to begin a key update
#   claim       CAPABILITIES claims CERT, CHAL, MEAS_SIG, MEAS_FRESH, SET_CERT, CSR, EP_INFO_SIG, MEL, GET_KEY_PAIR_INFO
import socket
import struct
import threading
from names import message_name

HEADER = struct.Struct(">III")
NORMAL, OOB_KEY_UPDATE, OOB_ENDPOINT_INFO = 1, 0x8001, 0x8002
CLAIM = 0x11980036
MESSAGE_AT = {0: 0, 1: 1, 2: 8, 3: 4}  # by transport: where the message begins in a frame
SECURED = {1: (0, 6), 2: (2, 2)}  # which byte of a frame has which value if it holds a record


def name_of(transport, body, response):
    """Of the SPDM message in a frame; None for what is neither a message nor a record."""
    at = MESSAGE_AT[transport]
    if len(body) < at + 4:
        return None
    if body[SECURED[transport][0]] == SECURED[transport][1] if transport in SECURED else False:
        return "SECURED_RESPONSE" if response else "SECURED_REQUEST"
    return message_name(body[at + 1])


def take(sock, n):
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            return None
        data += more
    return data


class Proxy:
    def __init__(self, target_port, action, kill):
        self.what, _, self.name = action.partition(":")
        if self.what == "claim":
            self.name = "CAPABILITIES"
        self.kill = kill
        self.target_port = target_port
        self.done = False
        self.records = self.frames = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = [self.listener]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            return
        self.far = far
        self.sockets += [near, far]
        for sock in (near, far):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.relay, args=(near, far), daemon=True).start()
        self.relay(far, near)

    def relay(self, source, sink):
        try:
            while True:
                header = take(source, HEADER.size)
                if header is None:
                    break
                command, transport, length = HEADER.unpack(header)
                body = take(source, length)
                if body is None:
                    break
                if command in (OOB_KEY_UPDATE, OOB_ENDPOINT_INFO) and self.what in ("update", "endpoint"):  # the answer to our own
                    continue
                if command == NORMAL:
                    name = name_of(transport, body, source is self.far)
                    body = self.touch(name, transport, bytearray(body))
                    self.count(name, source, transport, body)
                if body is not None:
                    sink.sendall(header + body)
        except OSError:
            pass
        for sock in (source, sink):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def touch(self, name, transport, body):
        if self.done or name != self.name:
            return body
        self.done = True
        if self.what == "flip":
            body[-8] ^= 1
        elif self.what == "kill":
            self.kill()
            return None
        elif self.what == "drop":
            return None
        elif self.what == "claim":
            struct.pack_into("<I", body, MESSAGE_AT[transport] + 8, CLAIM)
        return body

    def count(self, name, source, transport, body):
        if self.what == "endpoint" and source is self.far and name:
            self.frames += 1
            if self.frames == int(self.name):
                self.done = True
                source.sendall(HEADER.pack(OOB_ENDPOINT_INFO, transport, 0))
        if self.what != "update" or name != "SECURED_RESPONSE" or body is None:
            return
        self.records += 1
        if self.records == int(self.name):
            self.done = True
            at = MESSAGE_AT[transport]
            source.sendall(HEADER.pack(OOB_KEY_UPDATE, transport, 4) + bytes(body[at : at + 4]))

    def close(self):
        for sock in self.sockets:
            sock.close()
