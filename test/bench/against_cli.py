#!/usr/bin/env python3
"""The whole command beside the docker CLI, in pairs, one after the other.

    against_cli.py context DOCKLINE FOLDER [ROUNDS]   what a context costs to hand over, to a daemon that forgets it
    against_cli.py small DOCKLINE HOST [ROUNDS]       a build of three cached steps on a real daemon, unix:///...
    against_cli.py memory DOCKLINE FOLDER             peak memory for 10 MB, 10 GB and a million files, made in FOLDER

Prints the median of the rounds and the median of the rounds' ratios. The CLI is `docker` of the PATH; both use the
classic builder, and against_buildx.py has the other one. FOLDER is the tree of context_bench. For `small` the
daemon's own time is that of the same request by a bare socket, without any client; it is taken off both before their
wall times are compared.
"""

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

# --- a daemon that forgets ----------------------------------------------------


@contextlib.contextmanager
def forgetful(tool):
    """The address of a daemon that answers a build at once, and forgets its context."""
    program = os.path.join(os.path.dirname(tool), "..", "test", "bench", "forgetful_daemon")
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "sock")
        daemon = subprocess.Popen([program, path], stdin=subprocess.PIPE)
        try:
            while not os.path.exists(path) and daemon.poll() is None:
                time.sleep(0.01)
            yield f"unix://{path}"
        finally:
            daemon.stdin.close()
            daemon.wait()


# --- measuring ----------------------------------------------------------------


def measured(words, host):
    """Seconds by the clock, seconds of processor time, peak resident MiB."""
    environment = {**os.environ, "DOCKER_HOST": host, "DOCKER_BUILDKIT": "0"}
    began = time.monotonic()
    child = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"status {child.returncode}: {' '.join(words)}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def peak_of(words, host):
    """Seconds, and peak resident MiB. By a program that is small itself: a child's peak counts its parent's memory
    at the fork."""
    with tempfile.NamedTemporaryFile("r") as told:
        wall, _, _ = measured(["/usr/bin/time", "-f", "%M", "-o", told.name, *words], host)
        return wall, int(told.read()) / 1024


def build_by(tool):
    """As the CLI builds here. The daemon that forgets knows no sessions."""
    return [tool, "build", "--builder", "classic", "-q"]


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def median(values):
    return statistics.median(values)


def context(tool, folder, rounds):
    size = sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)
    ours, theirs = [], []
    with forgetful(tool) as host:
        for _ in range(rounds):
            ours.append(measured([*build_by(tool), folder], host))
            theirs.append(measured(["docker", "build", folder], host))
    rows = [["", "seconds", "MB/s", "CPU s", "peak MiB"]]
    for who, runs in (("dockline build", ours), ("docker build", theirs)):
        wall, cpu, peak = (median(column) for column in zip(*runs))
        rows.append([who, f"{wall:.3f}", f"{size / wall / 1e6:.0f}", f"{cpu:.3f}", f"{peak:.1f}"])
    table(rows)
    print(f"{median(b[0] / a[0] for a, b in zip(ours, theirs)):.2f} x as fast, "
          f"{median(b[1] / a[1] for a, b in zip(ours, theirs)):.2f} x less processor time, median of {rounds} pairs")


def fill(folder, files, size):
    if os.path.exists(os.path.join(folder, "Dockerfile")):
        return
    for i in range(files):
        if i % 1000 == 0:
            os.makedirs(os.path.join(folder, str(i // 1000)), exist_ok=True)
        with open(os.path.join(folder, str(i // 1000), str(i)), "wb") as file:
            file.truncate(size)  # without blocks on the disk; they are read and sent all the same
    with open(os.path.join(folder, "Dockerfile"), "w", encoding="utf-8") as file:
        file.write("FROM scratch\nCOPY . /\n")


def memory(tool, folder, _):
    rows = [["", "seconds", "peak MiB", "over the idle process"]]
    with forgetful(tool) as host:
        _, idle = peak_of([tool, "ping"], host)
        for title, files, size in (("10 MB", 10, 10 ** 6), ("10 GB", 10, 10 ** 9), ("a million files", 10 ** 6, 100)):
            tree = os.path.join(folder, title.replace(" ", "-"))
            fill(tree, files, size)
            for how in ("none", "gzip"):
                wall, peak = peak_of([*build_by(tool), "--compression", how, tree], host)
                rows.append([f"{title}, {how}", f"{wall:.1f}", f"{peak:.1f}", f"{peak - idle:.1f}"])
            wall, peak = peak_of([tool, "context", "--format", "json", tree], host)
            rows.append([f"{title}, listed", f"{wall:.1f}", f"{peak:.1f}", f"{peak - idle:.1f}"])
    table(rows)


def bare_build(path, body):
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)
        peer.sendall(b"POST /v1.41/build HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n"
                     b"Content-Type: application/x-tar\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        answer = b""
        while more := peer.recv(65536):
            answer += more
    if b"Successfully built" not in answer:
        sys.exit(f"the daemon's answer: {answer[-500:]!r}")
    return time.monotonic() - began


def small(tool, host, rounds):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "Dockerfile"), "w", encoding="utf-8") as file:
            file.write("FROM scratch\nCOPY a /a\nCOPY b /b\nLABEL bench=dockline\n")
        for name in "ab":
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(name * 1000)
        packed = os.path.join(folder, "..", os.path.basename(folder) + ".tar")
        with tarfile.open(packed, "w") as tar:
            tar.add(folder, arcname=".")
        with open(packed, "rb") as file:
            body = file.read()
        os.remove(packed)
        alone, ours, theirs = [], [], []
        line = [*build_by(tool), folder]
        measured(line, host)
        for _ in range(rounds):
            alone.append(bare_build(host.removeprefix("unix://"), body))
            ours.append(measured(line, host))
            theirs.append(measured(["docker", "build", "-q", folder], host))
    own = median(alone)
    rows = [["", "wall ms", "less the daemon's", "CPU ms", "peak MiB"],
            ["the daemon alone", f"{own * 1e3:.1f}", "", "", ""]]
    for who, runs in (("dockline build", ours), ("docker build", theirs)):
        wall, cpu, peak = (median(column) for column in zip(*runs))
        rows.append([who, f"{wall * 1e3:.1f}", f"{(wall - own) * 1e3:.1f}", f"{cpu * 1e3:.1f}", f"{peak:.1f}"])
    table(rows)
    share = [max(a[0] - d, 1e-4) / max(b[0] - d, 1e-4) for a, b, d in zip(ours, theirs, alone)]
    print(f"wall {median(share):.2f} x the CLI's after the daemon's time, "
          f"CPU {median(a[1] / b[1] for a, b in zip(ours, theirs)):.2f} x, median of {rounds} pairs")


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ("context", "small", "memory"):
        sys.exit(__doc__)
    if not shutil.which("docker"):
        sys.exit("no docker CLI to compare with")
    print(subprocess.run(["docker", "--version"], capture_output=True, text=True, check=True).stdout.strip())
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else (5 if sys.argv[1] == "context" else 15)
    {"context": context, "small": small, "memory": memory}[sys.argv[1]](os.path.abspath(sys.argv[2]), sys.argv[3], rounds)


main()
