#!/usr/bin/env python3
"""The command from outside, against the engine at DOCKLINE_TEST_DOCKER_HOST; exits with 77 where there is none.

    tool_test.py DOCKLINE PROBE [NAME...]
"""

import contextlib
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

TOOL, PROBE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
HOST = os.environ.get("DOCKLINE_TEST_DOCKER_HOST", "")
PREFIX = f"dockline-test-{os.getpid()}-{time.time_ns() % 10**9}-"
SOCKET = HOST.removeprefix("unix://")
IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}\n")
NOBODY = 65534

made, podman = [], False


# --- what the cases share ---------------------------------------------------


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(SOCKET)


def ask(method, path):
    """Status, headers and body of the daemon's answer."""
    connection = Connection("docker")
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def name(what):
    """A name of this run's own, for an image or a container. All of them are removed at the end."""
    made.append(f"{PREFIX}{len(made)}-{what}")
    return made[-1]


def has_image(reference):
    return ask("GET", f"/images/{reference}/json")[0] == 200


def inspect(reference):
    status, _, body = ask("GET", f"/images/{reference}/json")
    check(status == 200, f"no image {reference}: {body!r}")
    return json.loads(body)


def environment(**more):
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("DOCKER", "DOCKLINE"))}
    # Whoever runs this may have a configuration of his own.
    return {**plain, "DOCKER_HOST": HOST, "DOCKER_CONFIG": "/nonexistent", **more}


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.out, self.err = (stream if isinstance(stream, str) else stream.decode(errors="surrogateescape")
                              for stream in (done.stdout, done.stderr))

    def __str__(self):
        return f"status {self.status}\n--- stdout\n{self.out[-2000:]}\n--- stderr\n{self.err[-2000:]}"


def run(*words, stdin="", env=None, cwd=None, prefix=()):
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run([*prefix, TOOL, *words], input=stdin, capture_output=True, env=environment() if env is None else env, cwd=cwd, timeout=120)
    return Result(done)


class Failed(Exception):
    pass


def check(truth, words):
    if not truth:
        raise Failed(str(words))


def ended(result, status):
    check(result.status == status, f"expected status {status}, got {result}")
    return result


def refused(status, words, *line, **how):
    """The command ends with this status, says why in one line or two, and prints no result."""
    result = ended(run(*line, **how), status)
    check(result.out == "", f"a result in spite of the failure: {result}")
    check(result.err.startswith("error: "), result)
    check(all(word in result.err for word in words), f"expected {words}: {result}")
    return result


@contextlib.contextmanager
def tree(**files):
    """A directory with these files; '_' stands for '.' at the start of a name."""
    with tempfile.TemporaryDirectory(prefix="dockline-") as top:
        top = pathlib.Path(top)
        top.chmod(0o755)
        for path, text in files.items():
            where = top / re.sub("^_", ".", path)
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(text)
        yield top


def processes_with(mark):
    """The ids of the probes in containers that have `mark` among their arguments."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                words = pathlib.Path("/proc", entry, "cmdline").read_bytes()
                if words.startswith(b"/probe") and mark.encode() in words:
                    found.append(int(entry))
    return found


def comes_to(count, mark, seconds):
    end = time.monotonic() + seconds
    while len(processes_with(mark)) != count:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


base_image = None


def base():
    """An image with nothing but /probe and a file that is no program."""
    global base_image
    if base_image is None:
        with tree(Dockerfile='FROM scratch\nCOPY probe data /\nENTRYPOINT ["/probe"]\n', data="no program\n") as top:
            shutil.copy(PROBE, top / "probe")
            tag = name("base")
            ended(run("build", "-q", "-t", tag, str(top)), 0)
            base_image = tag
    return base_image


# --- the cases --------------------------------------------------------------


def case_ping_and_version():
    result = ended(run("ping"), 0)
    check(result.out.startswith("OK ") and "API 1." in result.out and result.err == "", result)
    result = ended(run("version"), 0)
    check(result.out.startswith("Client: dockline\n") and "\nServer:" in result.out and result.err == "", result)
    ended(run("-H", HOST, "ping", env=environment(DOCKER_HOST="unix:///nowhere")), 0)
    ended(run("ping", "--host", HOST, env=environment(DOCKER_HOST="unix:///nowhere")), 0)
    ended(run("version", "--client", env=environment(DOCKER_HOST="unix:///nowhere")), 0)


def docker_configuration(top, current="", host=None, **more):
    """Docker's configuration in a folder, with the context "here"."""
    meta = top / "contexts/meta" / hashlib.sha256(b"here").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True, exist_ok=True)
    meta.write_text(json.dumps({"Name": "here", "Endpoints": {"docker": {"Host": host or HOST}}}))
    (top / "config.json").write_text(json.dumps({"currentContext": current, **more}))


def case_the_daemon_by_its_context():
    with tree() as top:
        def settings(**more):
            return environment(**{"DOCKER_HOST": "", "DOCKER_CONFIG": str(top), **more})

        docker_configuration(top, current="here")
        ended(run("ping", env=settings()), 0)
        ended(run("-c", "here", "ping", env=settings(DOCKER_HOST="unix:///nowhere")), 0)
        ended(run("ping", "--context", "here", env=settings(DOCKER_CONTEXT="nowhere")), 0)
        ended(run("ping", env=settings(DOCKER_HOST=HOST, DOCKER_CONTEXT="nowhere")), 0)
        refused(2, ['"nowhere"', str(top)], "ping", env=settings(DOCKER_CONTEXT="nowhere"))
        refused(2, ["--context", "--host"], "-H", HOST, "-c", "here", "ping", env=settings())
        docker_configuration(top, current="nowhere")
        refused(2, ['"nowhere"'], "run", "x", env=settings())
        ended(run("ping", env=settings(DOCKER_CONTEXT="here")), 0)
        docker_configuration(top, current="here", host="unix:///nowhere/at/all")
        refused(3, ["/nowhere/at/all"], "ping", env=settings())
        (top / "config.json").write_text('{"auths": \n oops}')
        refused(2, [str(top / "config.json") + ":2:"], "ping", env=settings())
        ended(run("version", "--client", env=settings()), 0)
        ended(run("ping", env=settings(DOCKER_HOST=HOST)), 0)


def case_podmans_socket_is_named_when_nothing_answers():
    if os.path.exists("/var/run/docker.sock"):
        return "there is a default socket"
    with tree() as top, socket.socket(socket.AF_UNIX) as listener:
        (top / "podman").mkdir()
        listener.bind(str(top / "podman/podman.sock"))
        settings = environment(DOCKER_HOST="", XDG_RUNTIME_DIR=str(top))
        refused(3, ["/var/run/docker.sock", f"DOCKER_HOST=unix://{top}/podman/podman.sock"], "ping", env=settings)


def case_credentials_for_the_registries_of_a_build():
    with tree(Dockerfile="ARG TAG=1\nFROM 127.0.0.1:9/none:$TAG\n") as top:
        helper = top / "bin/docker-credential-mine"
        helper.parent.mkdir()

        def build(script, *words):
            helper.write_text("#!/bin/sh\n" + script)
            helper.chmod(0o755)
            (top / "calls").write_text("")
            return ended(run("build", *words, str(top), env=environment(
                DOCKER_CONFIG=str(top / "config"), PATH=f"{top}/bin:{os.environ['PATH']}", TOP=str(top))), 1)

        (top / "config").mkdir()
        docker_configuration(top / "config", credHelpers={"127.0.0.1:9": "mine", "never.example": "mine"},
                             credsStore="missing")
        record = 'echo "$1 $(cat)" >>"$TOP/calls"\n'
        result = build(record + 'echo \'{"Username":"u","Secret":"hunter2"}\'')
        check((top / "calls").read_text() == "get 127.0.0.1:9\n", (top / "calls").read_text())
        check("hunter2" not in result.err and "warning" not in result.err, result)
        locked = "docker-credential-mine, for 127.0.0.1:9: ended with status 1: locked"
        check(locked in build("echo locked; exit 1").err, result)
        check(locked not in build("echo locked; exit 1", "-q").err, result)
        check("missing, for docker.io: not found" in build("true", "--cache-from", "busybox").err, result)


def case_an_interrupted_credential_helper():
    with tree(Dockerfile="FROM 127.0.0.1:9/none\n") as top:
        docker_configuration(top, credsStore="hang")
        helper = top / "docker-credential-hang"
        helper.write_text('#!/bin/sh\nsleep 600 & echo $! >"$TOP/pid"; wait\n')
        helper.chmod(0o755)
        process = subprocess.Popen([TOOL, "build", str(top)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=environment(DOCKER_CONFIG=str(top), PATH=f"{top}:{os.environ['PATH']}",
                                                   TOP=str(top)))
        end = time.monotonic() + 20
        while not (top / "pid").exists() or not (top / "pid").read_text():
            check(time.monotonic() < end, "the helper was not started")
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        check(process.returncode == 130 and err == "error: interrupted\n", f"{process.returncode}: {err}")
        pid = int((top / "pid").read_text())
        while pathlib.Path(f"/proc/{pid}").exists() and ") Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text():
            check(time.monotonic() < end, "what the helper started still runs")
            time.sleep(0.02)


def case_help():
    for words in (["--help"], ["build", "--help"], ["run", "--help"], ["run", "-h"]):
        result = ended(run(*words), 0)
        check("--" in result.out and result.err == "", result)


def case_bad_usage():
    for words in ([], ["nonsense"], ["run"], ["build", "--nonsense", "."], ["build", "a", "b"],
                  ["build", "--progress", "fancy", "."], ["build", "--ulimit", "nofile", "."], ["--timeout", "-1", "ping"],
                  ["build", "--builder", "buildkit", "."]):
        refused(2, [], *words)


def case_output_that_cannot_be_written():
    for words in (["ping"], ["version"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([TOOL, *words], stdout=full, stderr=subprocess.DEVNULL, env=environment(), timeout=60)
        check(done.returncode == 1, f"{words}: {done.returncode}")


def case_standard_streams_that_are_closed():
    with tree(Dockerfile=f"FROM {base()}\nLABEL closed=1\n") as top:
        tag = name("closed")
        result = ended(run("build", "-t", tag, str(top), prefix=["sh", "-c", 'exec "$@" <&- 2>&-', "sh"]), 0)
        check(IMAGE_ID.fullmatch(result.out), result)
        result = ended(run("build", "-t", tag, str(top), prefix=["sh", "-c", 'exec "$@" <&- >&-', "sh"]), 1)
        check(has_image(tag), result)
        ended(run("run", "--rm", tag, "say", "0", "x", "y", prefix=["sh", "-c", 'exec "$@" >&-', "sh"]), 125)


def case_a_reader_that_goes_away_ends_a_run():
    container = name("pouring")
    child = start("run", "--rm", "--name", container, base(), "pour", "2000000000")
    check(child.stdout.read(1) == "0", "no output")
    child.stdout.close()
    check(child.wait(timeout=20) == 125, child.returncode)
    check(ask("GET", f"/containers/{container}/json")[0] == 404, "the container is still there")


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


def as_nobody(top, *more):
    """The words that run the tool as nobody, copied with its library to where everybody may read them."""
    copy = top / "dockline-copy"
    shutil.copy(TOOL, copy)
    copy.chmod(0o755)
    for folder in filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":")):
        for library in pathlib.Path(folder).glob("libdockline.so.?"):
            shutil.copy(library, top)
    return ["setpriv", f"--reuid={NOBODY}", *(more or [f"--regid={NOBODY}", "--clear-groups"]),
            "env", f"LD_LIBRARY_PATH={top}", str(copy)]


def case_deaf_daemon_and_timeout():
    with tree() as top, contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
        where = str(top / "deaf.sock")
        server.bind(where)
        server.listen()
        began = time.monotonic()
        refused(3, [], "-H", "unix://" + where, "--timeout", "0.5", "ping")
        check(time.monotonic() - began < 5, "the deadline did not end it")


def case_build_prints_the_id_alone():
    with tree(Dockerfile=f"FROM {base()}\nCOPY file /\n", file="x") as top:
        tag, iidfile = name("id"), top / "id"
        result = ended(run("build", "-t", tag, "--iidfile", str(iidfile), str(top)), 0)
        check(IMAGE_ID.fullmatch(result.out), result)
        check("COPY file /" in result.err and "2/2" in result.err, result)
        check(iidfile.read_text() == result.out.strip(), iidfile.read_text())
        check(has_image(result.out.strip()), "the engine does not take the id")
        quiet = ended(run("build", "--quiet", "-t", tag, str(top)), 0)
        check(quiet.err == "" and IMAGE_ID.fullmatch(quiet.out), quiet)
        # From the directory itself, and by a path with a link in it.
        check(IMAGE_ID.fullmatch(ended(run("build", "-q", "-t", tag, ".", cwd=top), 0).out), "from .")


def case_a_failed_build():
    # The steps before the failing one come out of the cache, so that no image without a name is left.
    with tree(Dockerfile=f"FROM {base()}\nLABEL a=1\n") as top:
        ended(run("build", "-q", "-t", name("first"), str(top)), 0)
        (top / "Dockerfile").write_text(f'FROM {base()}\nLABEL a=1\nRUN ["/probe", "lines", "7", "20"]\n')
        tag, iidfile = name("failed"), top / "id"
        iidfile.write_text("of an earlier build")
        result = ended(run("build", "-t", tag, "--iidfile", str(iidfile), str(top)), 1)
        check(result.out == "" and not iidfile.exists(), result)
        last = result.err.splitlines()[-1]
        check(last.startswith('error: step 3/3 RUN ["/probe"') and ": exit code 7" in last, result)
        check("line 20" in result.err and not has_image(tag), result)
        # The log is shown even where progress is not.
        quiet = ended(run("build", "-q", "-t", tag, str(top)), 1)
        check(quiet.out == "" and "line 20\n" in quiet.err and "exit code 7" in quiet.err.splitlines()[-1], quiet)


def case_the_daemons_words():
    for dockerfile, words in ((f"FROM {base()}\nRUNN x\n", "RUNN"), ("FROM 127.0.0.1:1/no/such:tag\n", "127.0.0.1:1"),
                              (f"FROM {base()}\nCOPY missing /\n", "missing")):
        with tree(Dockerfile=dockerfile) as top:
            tag = name("words")
            result = ended(run("build", "-t", tag, str(top)), 1)
            check(result.out == "" and words in result.err.splitlines()[-1], result)
            check(not has_image(tag), "tagged all the same")


def case_progress_json():
    with tree(Dockerfile=f'FROM {base()}\nRUN ["/probe", "lines", "3", "5"]\n') as top:
        tag = name("json")
        result = ended(run("build", "--no-cache", "--progress", "json", str(top)), 1)
        lines = result.err.splitlines()
        events = [json.loads(line) for line in lines[:-1]]
        check(lines[-1].startswith("error: "), result)
        for event in events:
            check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", event["time"]), event)
        kinds = {event["event"] for event in events}
        check({"step_started", "step_log", "step_failed", "context_progress"} <= kinds, kinds)
        (top / "Dockerfile").write_text(f"FROM {base()}\nLABEL json=1\n")
        result = ended(run("build", "--progress", "json", "-t", tag, str(top)), 0)
        check("image_built" in {json.loads(line)["event"] for line in result.err.splitlines()}, result)


def case_build_arguments_labels_and_target():
    with tree(Dockerfile=f"FROM {base()} AS one\nARG A\nARG B=b\nARG C=c\nENV A=$A B=$B C=$C\nFROM {base()}\n") as top:
        tag = name("arguments")
        ended(run("build", "-t", tag, "--build-arg", "A", "--build-arg", "B", "--build-arg", "C=x y&z=\u00e4",
                  "--label", "l=m=n", "--target", "one", str(top), env=environment(A="from outside")), 0)
        config = inspect(tag)["Config"]
        check("A=from outside" in config["Env"] and "B=b" in config["Env"], config)
        check("C=x y&z=\u00e4" in config["Env"] and config["Labels"]["l"] == "m=n", config)


def case_a_dockerfile_from_elsewhere():
    with tree(Dockerfile="FROM nonsense:\n", file="x", _dockerignore="other*\n") as top, tree() as other:
        text = f"FROM {base()}\nCOPY . /all/\nLABEL from=LABEL\n"
        ended(run("build", "-q", "-t", (tag := name("stdin")), "-f", "-", str(top), stdin=text.replace("LABEL\n", "stdin\n")), 0)
        check(inspect(tag)["Config"]["Labels"]["from"] == "stdin", "not the one from standard input")
        (other / "D").write_text(text.replace("LABEL\n", "outside\n"))
        ended(run("build", "-q", "-t", (tag := name("outside")), "-f", str(other / "D"), str(top)), 0)
        check(inspect(tag)["Config"]["Labels"]["from"] == "outside", "not the one outside")
        listing = ended(run("run", "--rm", tag, "walk", "/all"), 0).out
        check("/file" in listing and "/Dockerfile" in listing, listing)
        (top / "sub").mkdir()
        (top / "sub/D").write_text(text.replace("LABEL\n", "inside\n"))
        ended(run("build", "-q", "-t", (tag := name("inside")), "-f", "sub/D", ".", cwd=top), 0)
        check(inspect(tag)["Config"]["Labels"]["from"] == "inside", "not the one inside")
        (top / "sub/empty").write_text("")
        check(run("build", "-f", "sub/empty", ".", cwd=top).status == 1, "an empty Dockerfile")


def case_a_context_from_standard_input():
    text = f"FROM {base()}\nCOPY file /got/file\n"

    def archive(mode):
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode=mode) as tar:
            for path, content in (("Dockerfile", text), ("sub/D", text + "LABEL from=D\n"), ("file", "x" * 300_000)):
                entry = tarfile.TarInfo(path)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content.encode()))
        return whole.getvalue()

    # xz is a program that the daemon runs; a machine may not have it.
    for mode in ("w:", "w:gz", "w:bz2") + (("w:xz",) if shutil.which("xz") else ()):
        tag = name("stdin-" + (mode[2:] or "tar"))
        result = ended(run("build", "-t", tag, "-", stdin=archive(mode)), 0)
        check(result.out.startswith("sha256:") and result.out.count("\n") == 1, result)
        check("/file" in ended(run("run", "--rm", tag, "walk", "/got"), 0).out, mode)
    ended(run("build", "-q", "-t", (tag := name("stdin-file")), "-f", "sub/D", "-", stdin=archive("w:gz")), 0)
    check(inspect(tag)["Config"]["Labels"]["from"] == "D", "not the Dockerfile that --file names")

    alone = f"FROM {base()}\nLABEL from=alone\n"
    ended(run("build", "-q", "-t", (tag := name("stdin-alone")), "-", stdin=alone), 0)
    check(inspect(tag)["Config"]["Labels"]["from"] == "alone", "not the Dockerfile alone")
    # Not a tar after all: the daemon's words, and not ours.
    ended(run("build", "-", stdin=archive("w:")[:100_000]), 1)
    for words, of in ((["-f", "D", "-"], alone), (["-f", "-", "-"], alone), (["-"], ""),
                      (["-f", "-", "https://127.0.0.1/x.git"], alone)):
        result = ended(run("build", *words, stdin=of), 2)
        check("standard input" in result.err or "--file -" in result.err, result)


def case_an_unreadable_file():
    with tree(Dockerfile=f"FROM {base()}\nCOPY . /\n", first="x" * 3_000_000, secret="x") as top:
        (top / "secret").chmod(0)
        tag = name("unreadable")
        if os.geteuid() == 0:
            # Root may read everything; nobody may not, but has to be let in to the daemon.
            if os.stat(SOCKET).st_mode & 0o060 != 0o060:
                return "the socket has no group that may use it"
            prefix = as_nobody(top, f"--regid={os.stat(SOCKET).st_gid}", "--clear-groups")
            done = subprocess.run([*prefix, "build", "-t", tag, str(top)], capture_output=True, text=True,
                                  env=environment(), timeout=60)
            result = Result(done)
        else:
            result = run("build", "-t", tag, str(top))
        ended(result, 1)
        check(result.out == "" and "secret" in result.err.splitlines()[-1], result)
        check("ermission denied" in result.err.splitlines()[-1], result)
        check(not has_image(tag), "tagged all the same")


def case_run():
    image = base()
    result = ended(run("run", "--rm", image, "say", "3", "to out\n", "to err\n"), 3)
    check(result.out == "to out\n" and result.err == "to err\n", result)
    result = ended(run("run", "--rm", "-i", image, "cat", stdin="some input\n"), 0)
    check(result.out == "some input\n" and result.err == "end of input\n", result)
    # Without -i there is no input, and nothing is waited for.
    check(ended(run("run", "--rm", image, "cat", stdin="unread"), 0).out == "", "input without -i")
    result = ended(run("run", "--rm", "-e", "A=1", "-e", "B", "--env", "C", image, "env", "A", "B", "C",
                       env=environment(B="from outside")), 0)
    check(result.out == "A=1\nB=from outside\nC=(unset)\n", result)
    check(ended(run("run", "--rm", "--entrypoint", "/probe", image, "exit", "9"), 9).out == "", "")
    # Not a directory of the host, which the engine may see otherwise than we do.
    volume = PREFIX + "volume"
    try:
        ended(run("run", "--rm", "-v", volume + ":/mounted", image, "walk", "/mounted"), 0)
        check(ask("GET", f"/volumes/{volume}")[0] == 200, "no volume was made")
    finally:
        ask("DELETE", f"/volumes/{volume}")


def case_run_what_cannot_be_run():
    image = base()
    refused(125, [], "run", "--rm", name("none"))
    refused(127, ["/nowhere"], "run", "--rm", "--entrypoint", "/nowhere", image)
    refused(126, ["/data"], "run", "--rm", "--entrypoint", "/data", image)
    taken = name("taken")
    ended(run("run", "--name", taken, image, "exit", "0"), 0)
    refused(125, [taken], "run", "--rm", "--name", taken, image, "exit", "0")


def case_run_detached():
    container = name("detached")
    result = ended(run("run", "-d", "--rm", "--name", container, base(), "sleep", "60", container), 0)
    check(re.fullmatch(r"[0-9a-f]{64}\n", result.out) and result.err == "", result)
    check(comes_to(1, container, 10), "it does not run")
    check(ask("POST", f"/containers/{container}/kill")[0] == 204, "cannot be killed")
    check(comes_to(0, container, 10), "it goes on")


def start(*words, **how):
    return subprocess.Popen([TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment(), start_new_session=True, **how)


def case_interrupted_build():
    mark = name("interrupted")
    seconds = "5" if podman else "120"
    with tree(Dockerfile=f'FROM {base()}\nRUN ["/probe", "sleep", "{seconds}", "{mark}"]\n') as top:
        for number in (signal.SIGINT, signal.SIGTERM):
            child = start("build", "--no-cache", "-t", mark, str(top))
            check(comes_to(1, mark, 20), "the RUN did not start")
            began = time.monotonic()
            child.send_signal(number)
            out, err = child.communicate(timeout=20)
            check(child.returncode == 130 and out == "", f"{child.returncode} {out} {err}")
            check(time.monotonic() - began < 2, "it took its time")
            check(err.splitlines()[-1] == "error: interrupted", err)
            # podman lets the step run to its end.
            check(comes_to(0, mark, 20), "the RUN goes on")
            check(not has_image(mark), "tagged all the same")


def case_interrupted_run():
    container = name("interrupted-run")
    child = start("run", "--rm", "--name", container, base(), "sleep", "120", container)
    check(comes_to(1, container, 20), "it did not start")
    began = time.monotonic()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    check(child.returncode == 130, f"{child.returncode} {out} {err}")
    check(time.monotonic() - began < 5, "it took its time")
    check(comes_to(0, container, 5), "the container goes on")
    check(ask("GET", f"/containers/{container}/json")[0] == 404, "the container is still there")


class StubbornDaemon(threading.Thread):
    """Lets a container be made and run, and never answers when it is to be removed."""

    def __init__(self, where):
        super().__init__(daemon=True)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(where)
        self.server.listen()
        self.removing = threading.Event()
        self.started = threading.Event()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=[self.server.accept()[0]], daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection:
            reader = connection.makefile("rb")
            while line := reader.readline():
                length = 0
                while (field := reader.readline().strip()):
                    if field.lower().startswith(b"content-length:"):
                        length = int(field.split(b":")[1])
                reader.read(length)
                if b"/_ping" in line:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK")
                elif b"/create" in line:
                    connection.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: 13\r\n\r\n{"Id":"c0de"}')
                elif b"/attach" in line:
                    connection.sendall(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
                elif b"/kill" in line:
                    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                elif b"/start" in line:
                    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                    self.started.set()
                else:
                    self.removing.set()
                    time.sleep(600)


def case_a_second_interrupt_leaves_at_once():
    with tree() as top:
        where = str(top / "engine.sock")
        stubborn = StubbornDaemon(where)
        stubborn.start()
        child = start("-H", "unix://" + where, "run", "--rm", "app")
        check(stubborn.started.wait(20), "it did not start")
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        check(stubborn.removing.wait(10), "the container was not to be removed")
        check(child.poll() is None, "it left without waiting for the removal")
        began = time.monotonic()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
        check(child.returncode == 130 and time.monotonic() - began < 1, f"{child.returncode} {out} {err}")


def files_of(reference):
    """What an image holds: a row a file."""
    container = name("export")
    connection = Connection("docker")
    connection.request("POST", f"/containers/create?name={container}", json.dumps({"Image": reference, "Cmd": ["x"]}),
                       {"Content-Type": "application/json"})
    check(connection.getresponse().status == 201, "cannot make a container")
    connection.close()
    status, _, body = ask("GET", f"/containers/{container}/export")
    check(status == 200, body[:200])
    rows = {}
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        for entry in archive:
            digest = hashlib.sha256(archive.extractfile(entry).read()).hexdigest() if entry.isreg() else ""
            # What the engine makes for every container has the time of its making.
            when = int(entry.mtime) if entry.name.startswith("tree/") else 0
            rows[entry.name] = (entry.type, oct(entry.mode), entry.linkname, entry.size, entry.uid, entry.gid, when, digest)
    return rows


def case_the_same_image_as_docker():
    docker = shutil.which("docker")
    if docker is None:
        return "no docker command"
    with tree() as top:
        (top / "tree").mkdir()
        for path, mode in (("plain", 0o644), ("script.sh", 0o755), ("private", 0o600), ("odd", 0o641), ("set-id", 0o4755),
                           ("n" * 150, 0o644), ("d" * 90 + "/" + "e" * 90 + "/" + "f" * 120, 0o644),
                           ("\u00e4\u00f6/\u6587\u4ef6", 0o644), ("with space", 0o644), ("deep/er/still/x", 0o640)):
            where = top / "tree" / path
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(path)
            where.chmod(mode)
        (top / "tree/empty").mkdir(mode=0o700)
        for link, target in (("link", "plain"), ("dangling", "/no/where"), ("deep/up", "../.."), ("long", "x/" * 80 + "x")):
            (top / "tree" / link).symlink_to(target)
        os.link(top / "tree/plain", top / "tree/same-file")
        (top / "tree/ignored.log").write_text("x")
        (top / "tree/kept.log").write_text("x")
        os.utime(top / "tree/plain", (1_000_000_000, 1_000_000_000))
        (top / ".dockerignore").write_text("# comment\n**/*.log\n!**/kept.log\n")
        (top / "Dockerfile").write_text(f"FROM {base()}\nARG V=1\nLABEL a=b\nENV V=$V\nCOPY tree /tree\nWORKDIR /tree\n"
                                        "EXPOSE 80\nUSER 5\nCMD [\"x\"]\n")
        ours, theirs = name("ours"), name("theirs")
        common = ["--no-cache", "--build-arg", "V=2", "--label", "c=d"]
        ended(run("build", "-q", *common, "-t", ours, str(top)), 0)
        done = subprocess.run([docker, "build", *common, "-t", theirs, str(top)], capture_output=True, text=True,
                              env=environment(DOCKER_BUILDKIT="0"), timeout=120)
        if done.returncode != 0:
            return "docker itself fails: " + done.stderr.strip().splitlines()[-1]
        left, right = files_of(ours), files_of(theirs)
        differing = [f"{path}: {left.get(path)} / {right.get(path)}" for path in sorted(left.keys() | right.keys())
                     if left.get(path) != right.get(path)]
        check(not differing, "\n".join(differing))
        check(len([path for path in left if path.startswith("tree/")]) == 23, sorted(left))
        configs = [{key: value for key, value in inspect(which)["Config"].items() if key not in ("Image", "Hostname")}
                   for which in (ours, theirs)]
        check(configs[0] == configs[1], configs)


# --- main -------------------------------------------------------------------


def remove_all():
    for one in reversed(made):
        ask("DELETE", f"/containers/{one}?force=1&v=1")
        ask("DELETE", f"/images/{one}?force=1")


def main():
    global podman
    if not HOST.startswith("unix://"):
        print("skipped: DOCKLINE_TEST_DOCKER_HOST is not set (unix:///path of a daemon)")
        return 77
    try:
        _, headers, _ = ask("GET", "/_ping")
    except OSError as problem:
        print(f"skipped: {HOST}: {problem}")
        return 77
    podman = "Libpod-Api-Version" in {key.title() for key in headers}
    failures = 0
    chosen = sys.argv[3:]
    try:
        for title, case in sorted(globals().items()):
            if not title.startswith("case_") or (chosen and title[5:] not in chosen):
                continue
            began = time.monotonic()
            words = title[5:].replace("_", " ")
            try:
                reason = case()
                print(f"ok      {words} ({time.monotonic() - began:.1f} s)" + (f": skipped, {reason}" if reason else ""))
            except (Failed, OSError, ValueError, KeyError, IndexError, subprocess.SubprocessError) as problem:
                failures += 1
                print(f"FAILED  {words}: {type(problem).__name__}: {problem}")
            sys.stdout.flush()
    finally:
        remove_all()
    return 1 if failures else 0


sys.exit(main())
