#!/usr/bin/env python3
"""A client of the host protocol in 200 lines, written from docs/protocol.md, with nothing but Python's own library.

    python3 client.py path/to/carrel

starts `carrel host`, makes a session with one tool, runs a cell that calls it, and prints what the cell shows.
"""

import json
import struct
import subprocess
import sys

MAX_PAYLOAD = 32 * 1024
WINDOW = 256 * 1024


# --- CBOR (RFC 8949), as much of it as the protocol uses -------------------------------------------------------


def encode(value):
    def head(major, number):
        for info, form, limit in ((None, "", 24), (24, "B", 1 << 8), (25, "H", 1 << 16), (26, "I", 1 << 32)):
            if number < limit:
                break
        else:
            info, form = 27, "Q"
        if info is None:
            return bytes([major << 5 | number])
        return bytes([major << 5 | info]) + struct.pack(">" + form, number)

    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, str):
        text = value.encode()
        return head(3, len(text)) + text
    return head(4, len(value)) + b"".join(map(encode, value))


def decode(data):
    def read(at):
        major, info = data[at] >> 5, data[at] & 31
        at += 1
        if major == 7:
            return {20: False, 21: True, 22: None}[info], at
        number = info
        if info >= 24:
            form = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}[info]
            (number,) = struct.unpack_from(form, data, at)
            at += struct.calcsize(form)
        if major == 0:
            return number, at
        if major == 3:
            return data[at : at + number].decode(), at + number
        if major != 4:
            raise ValueError(f"the protocol has no CBOR of major type {major}")
        items = []
        for _ in range(number):
            item, at = read(at)
            items.append(item)
        return items, at

    return read(0)[0]


# --- frames ----------------------------------------------------------------------------------------------------


class Connection:
    """Messages of many streams on one byte stream each way."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.parts = {}  # slot -> bytes
        self.taken = {}  # stream -> bytes that no credit was given for
        self.credit = {}  # stream -> bytes that may be sent
        self.waiting = []  # (stream, kind, payload) that wait for credit
        self.messages = []  # (stream, message) that came while credit was waited for

    def send(self, stream, number, *fields):
        message = encode([number, list(fields)])
        if len(message) <= MAX_PAYLOAD:
            self.waiting.append((stream, 0, message))
        else:  # in parts, through slot 0
            for start in range(0, len(message), MAX_PAYLOAD):
                last = start + MAX_PAYLOAD >= len(message)
                self.waiting.append((stream, 3 if last else 2, message[start : start + MAX_PAYLOAD]))
        self.flush()
        while self.waiting:  # the host gives credit as it takes what was sent
            self.messages.extend(self.read_frame())
            self.flush()

    def flush(self):
        frames = b""
        while self.waiting:
            stream, kind, payload = self.waiting[0]
            credit = self.credit.setdefault(stream, WINDOW)
            if credit < len(payload):
                break
            self.credit[stream] = credit - len(payload)
            frames += frame(stream, kind, payload)
            self.waiting.pop(0)
        self.writer.write(frames)
        self.writer.flush()

    def receive(self):
        while not self.messages:
            self.messages.extend(self.read_frame())
        return self.messages.pop(0)

    def read_frame(self):
        """Reads one frame; returns the message that it completes, if it does."""
        length, stream, kind = struct.unpack("<IIB", self.exactly(9))
        if not 5 <= length <= MAX_PAYLOAD + 5:
            raise ValueError(f"a frame states {length} bytes")
        payload = self.exactly(length - 5)
        if kind == 255:
            (more,) = struct.unpack("<I", payload)
            self.credit[stream] = self.credit.get(stream, WINDOW) + more
            return []
        self.taken[stream] = self.taken.get(stream, 0) + len(payload)
        if self.taken[stream] >= WINDOW // 2:
            self.writer.write(frame(stream, 255, struct.pack("<I", self.taken.pop(stream))))
            self.writer.flush()
        if kind != 0:
            slot, last = divmod(kind - 2, 2)
            self.parts[slot] = self.parts.get(slot, b"") + payload
            if not last:
                return []
            payload = self.parts.pop(slot)
        number, fields = decode(payload)
        return [(stream, number, fields)]

    def exactly(self, count):
        data = self.reader.read(count)
        if len(data) < count:
            raise EOFError("the host has closed the connection")
        return data


def frame(stream, kind, payload):
    return struct.pack("<IIB", len(payload) + 5, stream, kind) + payload


# --- sessions --------------------------------------------------------------------------------------------------

HELLO, CREATE, EXECUTE, SHUTDOWN, RELEASE, ANSWER, DELIVERED, GOODBYE = 0, 1, 5, 9, 14, 15, 16, 20
REPLY, CALL, NOTIFY, LOOK_UP, CANCEL_CALL, DROP_CALL, CELL_CLOSED = 1, 2, 3, 4, 5, 6, 7
DONE, FAILED, OPENED, SESSIONS, STARTED, OBSERVED = range(6)


class Session:
    """One session on stream 1, whose tools are Python functions of one argument."""

    def __init__(self, connection, tools):
        self.connection, self.tools, self.requests = connection, tools, 0
        connection.send(0, HELLO, ["carrel", 1, 1, [], "client.py", 1 << 28])
        _, number, (hello,) = connection.receive()
        assert number == HELLO and hello[0] == "carrel", "it is a Carrel host"
        described = [[name, tool.__doc__ or "", None, None, None, []] for name, tool in tools.items()]
        spec = [0, 0, described, False, []]  # fresh cells, in memory, unchecked, with the default limits
        opened, (self.id,) = self.ask(CREATE, spec)
        assert opened == OPENED

    def ask(self, number, *fields):
        self.requests += 1
        self.connection.send(1, number, self.requests, *fields)
        return self.reply(self.requests)

    def reply(self, request):
        """Waits for the reply to a request; performs the tool calls that come meanwhile."""
        while True:
            _, number, fields = self.connection.receive()
            if number == REPLY and fields[0] == request:
                kind, fields = fields[1]
                if kind == FAILED:
                    code, message = fields[0][:2]
                    raise RuntimeError(f"CR{code:04}: failed to {message}")
                return kind, fields
            if number == CALL:
                self.perform(fields[0], *fields[1][:4])
            elif number == NOTIFY:
                print(f"{fields[1]} says: {fields[2]}")
                self.connection.send(1, DELIVERED, fields[0])

    def perform(self, call, cell_id, call_id, tool, argument=None):
        try:
            result = self.tools[tool](json.loads(argument) if argument is not None else None)
            self.connection.send(1, ANSWER, call, json.dumps(result))
        except Exception as error:
            self.connection.send(1, ANSWER, call, None, [str(error), 0, False])

    def run(self, source):
        """Runs a cell to its end; returns its texts and its error, if it failed."""
        started, (cell_id,) = self.ask(EXECUTE, [source, [3600, 0]])
        assert started == STARTED
        _, ((observed,),) = self.reply(self.requests)
        kind, fields = observed
        texts = [content[1][0] for _, content in fields[0][1] if content[0] == 0]
        failure = fields[2] if kind == 1 and len(fields) > 2 else None
        return texts, failure and f"{failure[1]}: {failure[2]}"

    def close(self):
        self.ask(SHUTDOWN)
        self.connection.send(1, RELEASE)
        self.connection.send(0, GOODBYE)


def main(carrel):
    def count(path):
        """Counts the letters of a path."""
        if not isinstance(path, str):
            raise ValueError("it takes a path")
        return {"path": path, "letters": len(path)}

    def pages(count):
        """Gives so many pages of text."""
        return "page " * 1000 * count

    host = subprocess.Popen([carrel, "host", "--listen", "stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    session = Session(Connection(host.stdout, host.stdin), {"count": count, "pages": pages})
    cells = [
        "for (const { path, letters } of await Promise.all(['a.rs', 'lib.rs'].map(tools.count))) text(path + ': ' + letters)",
        "notify('half way'); try { await tools.count(7) } catch (error) { text(error.code + ': ' + error.message) }",
        "text((await tools.pages(200)).length); store('kept', 'ü'.repeat(3))",
        "text(load('kept')); null.x",
    ]
    for source in cells:
        texts, error = session.run(source)
        print("\n".join(texts))
        if error:
            print(f"it failed: {error}")
    session.close()
    sys.exit(host.wait())


if __name__ == "__main__":
    main(*sys.argv[1:])
