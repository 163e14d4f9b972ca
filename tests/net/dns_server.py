#!/usr/bin/env python3
"""A small name server on UDP and TCP of 127.0.0.1 for tests. Prints its port, then serves until TERM.

dns_server.py RECORD…, each NAME=TYPE=TTL=VALUE (A, AAAA, CNAME, NS, TXT, MX). Names with a habit:
silent.* is never answered, refused.* is REFUSED, garbage.* gets bytes that are no answer, big.* is
truncated on UDP.
"""
import ipaddress
import socket
import struct
import sys
import threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "MX": 15, "TXT": 16, "AAAA": 28}


def encode_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def encode_value(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "TXT":
        return bytes([len(value)]) + value.encode()
    if kind == "MX":
        preference, _, host = value.partition(" ")
        return struct.pack("!H", int(preference)) + encode_name(host)
    return encode_name(value)


def parse_records(arguments):
    records = {}
    for argument in arguments:
        name, kind, ttl, value = argument.split("=", 3)
        data = encode_value(kind, value)
        records.setdefault((name.lower(), TYPES[kind]), []).append(
            struct.pack("!HHHIH", 0xC00C, TYPES[kind], 1, int(ttl), len(data)) + data)
    return records


def parse_question(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels).lower(), struct.unpack("!H", query[at + 1:at + 3])[0], query[12:at + 5]


def answer(records, query, is_udp):
    """The answer's bytes, or None for silence."""
    name, kind, question = parse_question(query)
    if name.startswith("silent."):
        return None
    if name.startswith("garbage."):
        return query[:2] + b"\x84\x00\xff\xff\xff\xff" + b"\xc0" * 30
    found = records.get((name, kind), [])
    known = any(key[0] == name for key in records)
    code = 5 if name.startswith("refused.") else 0 if known else 3
    truncated = is_udp and name.startswith("big.")
    flags = 0x8400 | code | (0x0200 if truncated else 0)
    found = [] if truncated else found
    header = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0)
    return header + question + b"".join(found)


def serve_udp(server, records):
    while True:
        query, client = server.recvfrom(4096)
        reply = answer(records, query, True)
        if reply:
            server.sendto(reply, client)


def serve_tcp(server, records):
    while True:
        connection, _ = server.accept()
        with connection:
            size = connection.recv(2)
            if len(size) == 2:
                reply = answer(records, connection.recv(struct.unpack("!H", size)[0]), False)
                if reply:
                    connection.sendall(struct.pack("!H", len(reply)) + reply)


def main():
    records = parse_records(sys.argv[1:])
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    tcp = socket.create_server(udp.getsockname())
    threading.Thread(target=serve_udp, args=(udp, records), daemon=True).start()
    print(udp.getsockname()[1], flush=True)
    serve_tcp(tcp, records)


if __name__ == "__main__":
    main()
