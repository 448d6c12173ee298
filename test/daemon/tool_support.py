"""What the cases of the command share: the command, the engine, names of their own, and images to work with."""

import contextlib
import functools
import http.client
import io
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time

from cases import Failed, check

TOOL, PROBE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
HOST = os.environ.get("DOCKLINE_TEST_DOCKER_HOST", "")
PREFIX = f"dockline-test-{os.getpid()}-{time.time_ns() % 10**9}-"
SOCKET = HOST.removeprefix("unix://")
IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}\n")
NOBODY = 65534

made = []


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
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("DOCKER", "DOCKLINE", "BUILDKIT"))}
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


def why_no_engine():
    """Why nothing can be tried, or nothing."""
    if not HOST.startswith("unix://"):
        return "DOCKLINE_TEST_DOCKER_HOST is not set (unix:///path of a daemon)"
    try:
        ask("GET", "/_ping")
    except OSError as problem:
        return f"{HOST}: {problem}"
    return None


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


def archive_of(mode, *entries, mtime=0):
    """A tar of these files, (path, text) each, as tarfile.open() has it for this mode."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode=mode, format=tarfile.PAX_FORMAT) as tar:
        for path, text in entries:
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            entry.mtime = mtime
            tar.addfile(entry, io.BytesIO(text.encode()))
    return whole.getvalue()


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


def start(*words, variables=None, **how):
    return subprocess.Popen([TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment() if variables is None else variables, start_new_session=True, **how)


@functools.cache
def is_podman():
    _, headers, _ = ask("GET", "/_ping")
    return "Libpod-Api-Version" in {key.title() for key in headers}


def remove_all():
    for one in reversed(made):
        ask("DELETE", f"/containers/{one}?force=1&v=1")
        ask("DELETE", f"/images/{one}?force=1")
