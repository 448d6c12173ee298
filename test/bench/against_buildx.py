#!/usr/bin/env python3
"""The whole command beside buildx, in pairs, on a real daemon at unix:///...

    against_buildx.py rebuild DOCKLINE BUILDX HOST FOLDER [ROUNDS]   one file of FOLDER changes before each build
    against_buildx.py small DOCKLINE BUILDX HOST [ROUNDS]            a build of cached steps
    against_buildx.py tree FOLDER                                    makes the folder: 5,000 files, and two of 200 MB

Prints medians of the rounds, and the median of the rounds' ratios. What goes over the socket is counted in a round of
its own, by a relay. The images of both are removed at the end; the daemon needs an image `busybox-base`.
"""

import os
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

NAMES = ("dockline-bench-a", "dockline-bench-b")


def make_tree(folder):
    """The same one each time, but for its times."""
    chance = random.Random(1)
    for index in range(5000):
        directory = folder / f"src/d{index // 100}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"file{index}.txt").write_bytes(chance.randbytes(chance.randint(200, 8000)))
    for name in ("blob-a", "blob-b"):
        with open(folder / name, "wb") as file:
            for _ in range(200):
                file.write(chance.randbytes(1 << 20))
    (folder / "Dockerfile").write_text("FROM busybox-base\nCOPY . /all\n")


def measured(words, host):
    """Seconds by the clock, seconds of processor time, peak resident MiB."""
    environment = {**os.environ, "DOCKER_HOST": host}
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        child = subprocess.Popen(words, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - began
        if child.returncode:
            output.seek(0)
            sys.exit(f"{words}: {output.read().decode(errors='replace')[-2000:]}")
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Relay:
    """Counts what a client sends to the daemon."""

    def __init__(self, path, to):
        self.sent, self.to = 0, to
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            daemon = socket.socket(socket.AF_UNIX)
            daemon.connect(self.to)
            threading.Thread(target=self.pump, args=(client, daemon, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(daemon, client, False), daemon=True).start()

    def pump(self, source, sink, counts):
        try:
            while block := source.recv(1 << 18):
                if counts:
                    self.sent += len(block)
                sink.sendall(block)
        except OSError:  # who hangs up, hangs up
            return
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def commands(dockline, buildx, folder):
    return ([dockline, "build", "--builder", "buildkit", "--progress", "plain", "-t", NAMES[0], str(folder)],
            [buildx, "build", "--progress", "plain", "--load", "-t", NAMES[1], str(folder)])


def compare(pairs):
    ours, theirs = zip(*pairs)
    for index, (what, unit) in enumerate((("wall", "s"), ("processor", "s"), ("peak memory", "MiB"))):
        mine = statistics.median(one[index] for one in ours)
        other = statistics.median(one[index] for one in theirs)
        ratio = statistics.median(a[index] / b[index] for a, b in pairs)
        print(f"{what}: dockline {mine:.3f} {unit}, buildx {other:.3f} {unit}, ratio {ratio:.2f}")


def rebuild(dockline, buildx, host, folder, rounds):
    both = commands(dockline, buildx, folder)
    changed = folder / "src/d7/file777.txt"

    def change():
        changed.write_bytes(os.urandom(3000))

    for words in both:  # the first time all of it travels
        change()
        measured(words, host)
    pairs = []
    for turn in range(rounds):
        order = both if turn % 2 == 0 else both[::-1]
        pair = []
        for words in order:
            change()
            pair.append(measured(words, host))
        pairs.append(tuple(pair if turn % 2 == 0 else pair[::-1]))
    compare(pairs)
    files = sum(len(files) + len(directories) for _, directories, files in os.walk(folder))
    with tempfile.TemporaryDirectory() as scratch:
        for words in both:
            path = f"{scratch}/{len(os.listdir(scratch))}.sock"
            relay = Relay(path, host.removeprefix("unix://"))
            change()
            measured(words, "unix://" + path)
            print(f"sent by {pathlib.Path(words[0]).name}: {relay.sent} bytes for a file of {changed.stat().st_size} "
                  f"among {files}: {(relay.sent - changed.stat().st_size) / files:.1f} bytes a file besides")


def small(dockline, buildx, host, rounds):
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "Dockerfile").write_text("FROM busybox-base\nCOPY note.txt /\nRUN true\n")
        (folder / "note.txt").write_text("hello\n")
        both = commands(dockline, buildx, folder)
        for words in both:
            measured(words, host)
        pairs = []
        for turn in range(rounds):
            order = both if turn % 2 == 0 else both[::-1]
            pair = [measured(words, host) for words in order]
            pairs.append(tuple(pair if turn % 2 == 0 else pair[::-1]))
        compare(pairs)


def remove_images(host):
    path = host.removeprefix("unix://")
    for name in NAMES:
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(path)
        peer.sendall(f"DELETE /images/{name} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode())
        while peer.recv(65536):
            pass


def main():
    what, *rest = sys.argv[1:] or [""]
    if what == "tree" and len(rest) == 1:
        return make_tree(pathlib.Path(rest[0]))
    if what == "rebuild" and len(rest) in (4, 5):
        dockline, buildx, host, folder = rest[:4]
        try:
            return rebuild(dockline, buildx, host, pathlib.Path(folder), int(rest[4]) if len(rest) == 5 else 5)
        finally:
            remove_images(host)
    if what == "small" and len(rest) in (3, 4):
        try:
            return small(*rest[:3], int(rest[3]) if len(rest) == 4 else 15)
        finally:
            remove_images(rest[2])
    sys.exit(__doc__)


if __name__ == "__main__":
    main()
