"""What holds for every command: usage, bad input, daemons that are not there."""

import contextlib
import os
import signal
import socket
import subprocess
import time

from tool_support import (HOST, IMAGE_ID, TOOL, as_nobody, base, check, ended, environment, has_image, is_podman, name,
                          refused, run, tree)


def case_ping_and_version():
    result = ended(run("ping"), 0)
    check(result.out.startswith("OK ") and "API 1." in result.out and result.err == "", result)
    result = ended(run("version"), 0)
    check(result.out.startswith("Client: dockline\n") and "\nServer:" in result.out and result.err == "", result)
    check("\n TLS:             OpenSSL 3." in result.out, result)
    ended(run("-H", HOST, "ping", env=environment(DOCKER_HOST="unix:///nowhere")), 0)
    ended(run("ping", "--host", HOST, env=environment(DOCKER_HOST="unix:///nowhere")), 0)
    ended(run("version", "--client", env=environment(DOCKER_HOST="unix:///nowhere")), 0)


def case_help():
    for words in (["--help"], ["build", "--help"], ["run", "--help"], ["run", "-h"]):
        result = ended(run(*words), 0)
        check("--" in result.out and result.err == "", result)


def case_bad_usage():
    for words in ([], ["nonsense"], ["run"], ["build", "--nonsense", "."], ["build", "a", "b"],
                  ["build", "--progress", "fancy", "."], ["build", "--ulimit", "nofile", "."], ["--timeout", "-1", "ping"],
                  ["build", "--builder", "buildkit", "."]):
        refused(2, [], *words)


def case_version_and_unknown_commands():
    result = ended(run("--version"), 0)
    check(result.out.startswith("dockline ") and result.out.count("\n") == 1 and result.err == "", result)
    refused(2, ['there is no command "nonsense"'], "nonsense")
    refused(2, ["a number of seconds above 0"], "--timeout", "soon", "ping")


def case_an_interrupt_while_the_reader_sleeps():
    """A pipe that nobody reads, or in which nobody writes, does not keep the command from ending."""
    with tree(Dockerfile="FROM scratch\nCOPY big /\n", big="x" * 3_000_000) as top:
        commands = [["context", "--format", "tar", str(top)], ["build", "-"]]
        with tree() as elsewhere:
            os.mkfifo(elsewhere / "pipe")
            reader = os.open(elsewhere / "pipe", os.O_RDONLY | os.O_NONBLOCK)
            commands.append(["context", "--format", "tar", "-o", str(elsewhere / "pipe"), str(top)])
            if not is_podman():
                commands.append(["build", "-q", "-o", "-", str(top)])
            for words in commands:
                for signal_number in (signal.SIGINT, signal.SIGTERM):
                    interrupted_in_vain(words, signal_number)
            os.close(reader)


def interrupted_in_vain(words, signal_number):
    child = subprocess.Popen([TOOL, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    time.sleep(1.5 if "-q" in words else 0.5)
    child.send_signal(signal_number)
    began = time.monotonic()
    status = child.wait(20)
    err = child.stderr.read().decode()
    check(status == 130 and "interrupted" in err, f"{words}: {status} {err}")
    check(time.monotonic() - began < 5, f"{words}: {time.monotonic() - began:.1f} s")
    for stream in (child.stdin, child.stdout, child.stderr):
        stream.close()


def case_few_descriptors():
    """Whatever lacks one first says so; with enough of them the image is there."""
    with tree(Dockerfile="FROM scratch\nCOPY a /\n", a="a") as top:
        for builder in ("classic", "auto"):
            tag = name("few-" + builder)
            for limit in range(5, 40):
                result = run("build", "--builder", builder, "-q", "-t", tag, str(top),
                             prefix=("prlimit", f"--nofile={limit}:{limit}"))
                if result.status == 0:
                    break
                check(result.status in (1, 2, 3) and result.out == "" and "Too many open files" in result.err, result)
                check(not has_image(tag), "tagged all the same")
            check(result.status == 0 and has_image(tag), result)


def case_output_that_cannot_be_written():
    for words in (["ping"], ["version"], ["version", "--client"], ["images"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([TOOL, *words], stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=60)
        check(done.returncode == 1, f"{words}: {done.returncode}")
        check(b"standard output cannot be written: No space left" in done.stderr, f"{words}: {done.stderr}")


def case_standard_streams_that_are_closed():
    with tree(Dockerfile=f"FROM {base()}\nLABEL closed=1\n") as top:
        tag = name("closed")
        result = ended(run("build", "-t", tag, str(top), prefix=["sh", "-c", 'exec "$@" <&- 2>&-', "sh"]), 0)
        check(IMAGE_ID.fullmatch(result.out), result)
        result = ended(run("build", "-t", tag, str(top), prefix=["sh", "-c", 'exec "$@" <&- >&-', "sh"]), 1)
        check(has_image(tag), result)
        ended(run("run", "--rm", tag, "say", "0", "x", "y", prefix=["sh", "-c", 'exec "$@" >&-', "sh"]), 125)


def case_bad_input_is_found_before_anything_is_sent():
    # With a daemon that does not exist: were it asked, the status would be 3.
    nowhere = environment(DOCKER_HOST="unix:///nowhere/engine.sock")
    with tree(Dockerfile="FROM scratch\n", file="x") as top, tree(file="x") as bare:
        refused(2, ["UPPER"], "build", "-t", "UPPER", str(top), env=nowhere)
        refused(2, ["a:b:c:"], "build", "-t", "a:b:c:", str(top), env=nowhere)
        refused(2, ["=x"], "build", "--build-arg", "=x", str(top), env=nowhere)
        refused(2, ["h"], "build", "--add-host", "h", str(top), env=nowhere)
        refused(2, ["nosuch"], "build", "--ulimit", "nosuch=1", str(top), env=nowhere)
        refused(2, [str(top / "missing")], "build", str(top / "missing"), env=nowhere)
        refused(2, [str(top / "file")], "build", str(top / "file"), env=nowhere)
        refused(2, ["Dockerfile"], "build", str(bare), env=nowhere)
        refused(2, ["Other"], "build", "-f", str(top / "Other"), str(top), env=nowhere)
        refused(2, ["standard input"], "build", "-f", "-", str(top), env=nowhere, prefix=["sh", "-c", 'exec "$@" </', "sh"])
        (top / ".dockerignore").write_text("fine\n[a-\n")
        refused(2, [".dockerignore", "[a-"], "build", str(top), env=nowhere)
        refused(2, ["ftp://x"], "-H", "ftp://x", "ping")


def case_daemon_absent():
    with tree(Dockerfile="FROM scratch\n") as top:
        nobody = str(top / "absent.sock")
        for words in (["ping"], ["build", str(top)]):
            refused(3, [nobody], "-H", "unix://" + nobody, *words)
        result = ended(run("-H", "unix://" + nobody, "version"), 3)
        check(nobody in result.err, result)
        refused(125, [nobody], "-H", "unix://" + nobody, "run", "app")
        # A socket that nobody listens on.
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as deaf:
            deaf.bind(nobody)
        refused(3, [nobody], "-H", "unix://" + nobody, "ping")


def case_socket_without_permission():
    with tree(Dockerfile="FROM scratch\n") as top:
        where = str(top / "closed.sock")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
            server.bind(where)
            server.listen()
            os.chmod(where, 0)
            prefix = as_nobody(top) if os.geteuid() == 0 else []
            tool = [] if prefix else [TOOL]
            done = subprocess.run([*prefix, *tool, "-H", "unix://" + where, "ping"], capture_output=True, text=True,
                                  timeout=60)
            check(done.returncode == 3, f"{done}")
            check(where in done.stderr and "docker" in done.stderr and "permission" in done.stderr, done.stderr)


def case_deaf_daemon_and_timeout():
    with tree() as top, contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
        where = str(top / "deaf.sock")
        server.bind(where)
        server.listen()
        began = time.monotonic()
        refused(3, [], "-H", "unix://" + where, "--timeout", "0.5", "ping")
        check(time.monotonic() - began < 5, "the deadline did not end it")
