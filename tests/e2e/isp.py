#!/usr/bin/env python3
"""isp.py PORT COMMAND [ARGS]: a very small mboot host of its own, so that the simulator is not judged by this project's host alone.
   ping | property ID | reset | sb FILE | write ADDR FILE | burst BAUD BYTES     prints what came; exit 1 when nothing answers"""
import os, struct, sys, termios, time

BAUD = {57600: termios.B57600, 115200: termios.B115200, 921600: termios.B921600}


def crc(data):
    c = 0
    for b in data:
        c ^= b << 8
        for _ in range(8):
            c = (c << 1 ^ 0x1021) & 0xFFFF if c & 0x8000 else c << 1
    return c


def frame(kind, payload):
    head = struct.pack("<BBH", 0x5A, kind, len(payload))
    return head + struct.pack("<H", crc(head + payload)) + payload


class Port:
    def __init__(self, path, baud=115200):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        a = termios.tcgetattr(self.fd)
        a[0] = a[1] = a[3] = 0
        a[4] = a[5] = BAUD[baud]
        a[6][termios.VMIN], a[6][termios.VTIME] = 0, 15
        termios.tcsetattr(self.fd, termios.TCSANOW, a)

    def read(self, n):
        data = b""
        while len(data) < n:
            more = os.read(self.fd, n - len(data))
            if not more:
                sys.exit("nothing answers (%r)" % data.hex())
            data += more
        return data

    def write(self, data):
        os.write(self.fd, data)

    def ping(self):
        self.write(b"\x5a\xa6")
        return self.read(10)

    def response(self):
        head = self.read(6)
        payload = self.read(struct.unpack("<H", head[2:4])[0])
        if head[4:6] != struct.pack("<H", crc(head[:4] + payload)):
            sys.exit("bad CRC")
        self.write(b"\x5a\xa1")
        return struct.unpack("<%dI" % payload[3], payload[4:])

    def command(self, tag, *params, data=0):
        self.write(frame(0xA4, struct.pack("<BBBB%dI" % len(params), tag, data, 0, len(params), *params)))
        if self.read(2) != b"\x5a\xa1":
            sys.exit("no ACK")
        return self.response()

    def send(self, tag, params, data, step=512):
        status = self.command(tag, *params, data=1)[0]
        for i in range(0, len(data), step):
            if status:
                break
            self.write(frame(0xA5, data[i : i + step]))
            if self.read(2) != b"\x5a\xa1":
                break
        return status or self.response()[0]


port = Port(sys.argv[1], int(sys.argv[3]) if sys.argv[2] == "burst" else 115200)
what, args = sys.argv[2], sys.argv[3:]
answer = port.ping()
if what == "ping":
    print(answer.hex())
elif what == "property":
    print(*port.command(7, int(args[0]), 0))
elif what == "reset":
    print(*port.command(11))
elif what == "sb":
    data = open(args[0], "rb").read()
    print(port.send(8, [len(data)], data))
elif what == "write":
    data = open(args[1], "rb").read()
    print(port.send(4, [int(args[0], 0), len(data), 0], data))
elif what == "burst":  # share of the line rate that went through, in percent, on the wire
    n = int(args[1])
    start = time.monotonic()
    port.send(4, [0x20000000, n, 0], bytes(n))
    wire = n + (n + 511) // 512 * 8
    print(int(wire * 10 / int(args[0]) / (time.monotonic() - start) * 1000) / 10)
