#!/usr/bin/env python3
"""What a person sees: the tool runs in a real terminal emulator, tmux, and its screen is looked at.

    terminal_test.py TOOL PROBE RECORDED_PULL [CASE...]

Exits with 77 without tmux, or without a daemon at DOCKLINE_TEST_DOCKER_HOST. Each case has a tmux server of its own.
"""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

# Nothing is written into the sources.
sys.dont_write_bytecode = True

import cases
from cases import Failed, check

TOOL, PROBE, PULL = (os.path.abspath(word) for word in sys.argv[1:4])
HOST = os.environ.get("DOCKLINE_TEST_DOCKER_HOST", "")
PREFIX = f"dockline-test-{os.getpid()}-{time.time_ns() % 10**9}-"
PROMPT = "ready> "

made = []


def tag(what):
    made.append(f"{PREFIX}{len(made)}-{what}")
    return made[-1]


class Terminal:
    """A tmux server with one window, in which a shell waits with the prompt PROMPT."""

    def __init__(self, folder, width=80, height=24, host=HOST, **more):
        self.socket = os.path.join(folder, "tmux")
        keep = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if key in os.environ}
        self.environment = {**keep, "HOME": folder, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "DOCKER_HOST": host,
                            **more}
        start = pathlib.Path(folder, "start")
        start.write_text(f"PS1={shlex.quote(PROMPT)}\nHISTFILE=/dev/null\n")
        self.tmux("-u", "-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), "-s", "main",
                  f"bash --rcfile {start} -i")
        self.see(lambda screen: screen.rstrip("\n").endswith(PROMPT.rstrip()), "no prompt")

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True, timeout=20,
                              env=self.environment, errors="replace")
        check(done.returncode == 0, f"tmux {words}: {done.stderr}")
        return done.stdout

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, timeout=20, check=False)

    def type(self, line):
        self.tmux("send-keys", "-t", "main", "-l", line)
        self.tmux("send-keys", "-t", "main", "Enter")

    def key(self, name):
        self.tmux("send-keys", "-t", "main", name)

    def screen(self, history=False, colours=False):
        words = ["-e"] if colours else []
        return self.tmux("capture-pane", "-p", "-t", "main", *words, *(["-S", "-5000"] if history else []))

    def cursor(self):
        shown, x, y = self.tmux("display-message", "-p", "-t", "main", "#{cursor_flag} #{cursor_x} #{cursor_y}").split()
        return shown == "1", int(x), int(y)

    def wrap(self):
        return self.tmux("display-message", "-p", "-t", "main", "#{wrap_flag}").strip() == "1"

    def see(self, wanted, words, seconds=60):
        """The first screen on which `wanted` holds: a function, or a pattern."""
        if isinstance(wanted, str):
            pattern = re.compile(wanted, re.MULTILINE)
            wanted = pattern.search
        end = time.monotonic() + seconds
        while True:
            screen = self.screen()
            if wanted(screen):
                return screen
            check(time.monotonic() < end, f"{words}; on the screen:\n{screen}")
            time.sleep(0.03)

    def ends(self, status):
        """Waits for the prompt that says this status, and checks that the terminal is as it was."""
        self.see(rf"^status {status}$", f"no status {status}")
        self.see(lambda screen: screen.rstrip("\n").endswith(PROMPT.rstrip()), "no prompt")
        shown, x, y = self.cursor()
        lines = self.screen().split("\n")
        check(shown and x == len(PROMPT) and lines[y].startswith(PROMPT.rstrip()), f"cursor {shown} {x} {y}: {lines}")
        check(self.wrap(), "the terminal no longer wraps")
        text = self.screen(history=True)
        self.type("clear; stty -a")
        modes = self.see(r"\bechoke\b(.|\n)*^" + PROMPT.rstrip(), "no stty").split()
        check({"isig", "icanon", "echo", "onlcr"} <= set(modes), modes)
        return text

    def run(self, *words, before="clear; "):
        self.type(f"{before}{' '.join(map(shlex.quote, [TOOL, *words]))}; echo status $?")


@contextlib.contextmanager
def terminal(dockerfile="", files=(), **how):
    """A terminal, and a directory with a Dockerfile and the probe."""
    with tempfile.TemporaryDirectory(prefix="dockline-") as folder:
        context = pathlib.Path(folder, "context")
        context.mkdir()
        (context / "Dockerfile").write_text(f"FROM scratch\nCOPY probe /\n{dockerfile}")
        shutil.copy(PROBE, context / "probe")
        for name, size in files:
            (context / name).write_bytes(os.urandom(size))
        window = Terminal(folder, **how)
        try:
            yield window, str(context)
        finally:
            window.close()


def ask(request):
    """What the daemon answers first, up to 4 KiB."""
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.settimeout(30)
        daemon.connect(HOST.removeprefix("unix://"))
        daemon.sendall(request + b" HTTP/1.0\r\nHost: docker\r\n\r\n")
        return daemon.recv(4096)


def ticks(count, pause, status=0, mark=""):
    return f'RUN ["/probe", "ticks", "{status}", "{count}", "{pause}", "{mark or time.time_ns()}"]\n'


# --- stand-ins --------------------------------------------------------------


def serve(path, answer):
    """Calls `answer(connection)` in a thread for each connection to a new socket at `path`."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return server


def slow_way(rate):
    """Passes a connection on to the daemon, at so many bytes a second on the way there."""

    def copy(source, target, pause):
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                target.sendall(block)
                time.sleep(len(block) / rate if pause else 0)
            target.shutdown(socket.SHUT_WR)

    def pass_on(connection):
        daemon = socket.socket(socket.AF_UNIX)
        daemon.connect(HOST.removeprefix("unix://"))
        back = threading.Thread(target=copy, args=(daemon, connection, False), daemon=True)
        back.start()
        copy(connection, daemon, True)

    return pass_on


def replay(lines, pause):
    """Answers a ping, and a build with these messages."""

    def answer(connection):
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as incoming:
            while request := incoming.readline():
                chunked = False
                while (header := incoming.readline()) not in (b"\r\n", b""):
                    chunked = chunked or header.lower().startswith(b"transfer-encoding: chunked")
                while chunked and (size := int(incoming.readline().split(b";")[0], 16)) >= 0:
                    incoming.read(size + 2)
                    chunked = size > 0
                head = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
                if b"/build" not in request:
                    connection.sendall(head + b"Content-Length: 2\r\n\r\nOK")
                    continue
                connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
                for line in lines:
                    connection.sendall(b"%x\r\n%s\r\n" % (len(line), line))
                    time.sleep(pause)
                connection.sendall(b"0\r\n\r\n")

    return answer


# --- the cases --------------------------------------------------------------


def case_a_build_from_its_first_line_to_its_prompt():
    with terminal(ticks(12, 250) + "LABEL last=1\n") as (window, context):
        window.run("build", "--builder", "classic", "-t", tag("whole"), context)
        first = window.see(r"^ => \[3/4\] RUN .* 0\.[5-9]s$", "no running step")
        later = window.see(r"^ => \[3/4\] RUN .* 1\.[5-9]s$", "the time does not run")
        for screen in (first, later):
            lines = screen.rstrip("\n").split("\n")
            total = next(i for i, line in enumerate(lines) if line.startswith("[+] Building "))
            check(re.fullmatch(r"\[\+\] Building \d+\.\ds \(2/4\)", lines[total]), screen)
            check(re.match(r" => transferring context: .* DONE \d\.\ds$", lines[0]), screen)
            check(re.match(r" => \[1/4\] FROM scratch +(DONE|CACHED) \d\.\ds$", lines[1]), screen)
            check(lines[total + 1].startswith(" => [3/4] RUN"), screen)
            check(all(re.fullmatch(r" => => # tick \d+", line) for line in lines[total + 2:]), screen)
            check(len(lines[total + 2:]) <= 6, screen)
        check("# tick" in later, later)
        text = window.ends(0)
        done = text[:text.index("status 0")].rstrip("\n").split("\n")
        check(re.match(r" => \[3/4\] RUN .* DONE [3-9]\.\ds$", done[3]), text)
        check(re.match(r" => \[4/4\] LABEL last=1 +DONE \d\.\ds$", done[4]), text)
        check(re.fullmatch(r"\[\+\] Building \d+\.\ds \(4/4\) FINISHED", done[-2]), text)
        check(re.fullmatch(r"sha256:[0-9a-f]{64}", done[-1]), text)
        check("# tick" not in text and text.count("[+]") == 1, text)


def case_a_failed_build_leaves_its_log_and_its_error_once():
    with terminal(ticks(3, 50, status=7)) as (window, context):
        window.run("build", "--builder", "classic", context)
        text = window.ends(1)
        check(re.search(r"^ => \[3/3\] RUN .* ERROR \d\.\ds$", text, re.MULTILINE), text)
        check(re.search(r"^------\n > \[3/3\] RUN (.|\n)*\n\d\.\d{3} tick 3\n------\n\[\+\] Building .* FAILED\nerror: step 3/3 ",
                        text, re.MULTILINE), text)
        check(text.count("error: step 3/3") == 1 and text.count("exit code 7") == 1, text)


def case_the_context_has_a_bar_while_it_is_sent():
    with tempfile.TemporaryDirectory(prefix="dockline-") as folder:
        way = os.path.join(folder, "way")
        with contextlib.closing(serve(way, slow_way(2_000_000))):
            with terminal(files=[("data", 5_000_000)], host="unix://" + way) as (window, context):
                window.run("build", "--builder", "classic", "-t", tag("context"), context)
                window.see(r"^ => transferring context: [\d.]+MB .*\[ *<=> *\] [\d.]+MB/s \d\.\ds$", "no bar")
                text = window.ends(0)
                check(text.count("transferring context") == 1, text)


def case_layers_have_bars():
    lines = [line + b"\r\n" for line in pathlib.Path(PULL).read_bytes().split(b"\r\n") if line]
    with tempfile.TemporaryDirectory(prefix="dockline-") as folder:
        daemon = os.path.join(folder, "daemon")
        with contextlib.closing(serve(daemon, replay(lines, 0.15))):
            with terminal(width=100, host="unix://" + daemon) as (window, context):
                window.run("build", "--builder", "classic", context)
                window.see(r"^ => => [0-9a-f]{12}: (Downloading|Extracting) +\[=*>? *\] [\d.]+[kM]?B / [\d.]+MB$", "no bar")
                text = window.ends(0)
                check("Downloading" not in text and "Extracting" not in text, text)


def case_another_size_of_the_window_is_followed():
    # tmux breaks the lines of a window anew up to a quarter of a second before it tells the program. A frame that
    # is drawn in between leaves its first lines behind, of this program as of any other: one frame's at most for
    # each new size, and above what is drawn later.
    with terminal(ticks(30, 150)) as (window, context):
        sizes = 0
        window.run("build", "--builder", "classic", "--no-cache", "-t", tag("resized"), context)
        window.see(r"# tick 3$", "no output")
        for width, height in ((50, 24), (30, 16), (120, 24), (60, 20), (80, 24)):
            window.tmux("resize-window", "-t", "main", "-x", str(width), "-y", str(height))
            sizes += 1
            frame = rf"^\[\+\] Building \d+\.\ds \(2/3\)\n => \[3/3\] .{{1,{width - 11}}}\n( => => # .*\n)*\n*\Z"
            screen = window.see(frame, f"no frame for {width}x{height}", seconds=4)
            check(screen.count("[+] Building") <= 1 + sizes, f"at {width}x{height}:\n{screen}")
        text = window.ends(0)
        check(text.count("[+] Building") <= 1 + sizes, text)
        check(re.search(r"^\[\+\] Building \d+\.\ds \(3/3\) FINISHED\nsha256:[0-9a-f]{64}\n", text, re.MULTILINE), text)


def case_a_small_window():
    with terminal(ticks(10, 150), width=20, height=5) as (window, context):
        window.run("build", "--builder", "classic", "-t", tag("small"), context)
        screen = window.see(r"# tick 5$", "no output")
        check(re.search(r"^ => \[3/3\] RUN?… +\d\.\ds$", screen, re.MULTILINE), screen)
        window.see(r"^status 0$", "no end")


def case_interrupting_leaves_the_terminal_as_it_was():
    with terminal(ticks(100, 100)) as (window, context):
        window.run("build", "--builder", "classic", context)
        window.see(r"# tick 3$", "no output")
        window.key("C-c")
        text = window.ends(130)
        check(re.search(r"^ => \[3/3\] RUN .* CANCELED \d\.\ds$", text, re.MULTILINE), text)
        check(re.search(r"^\[\+\] Building .* CANCELED\nerror: interrupted\nstatus 130$", text, re.MULTILINE), text)
        check("# tick" not in text, text)


def case_interrupting_a_build_of_buildkit():
    if b"Libpod" in ask(b"GET /_ping"):
        return "no BuildKit"
    with terminal(ticks(100, 100)) as (window, context):
        window.run("build", "--builder", "buildkit", "--no-cache", context)
        window.see(r"# tick 3$", "no output")
        window.key("C-c")
        text = window.ends(130)
        check(re.search(r"^ => \[2/2\] RUN .* CANCELED [\d.]+s$", text, re.MULTILINE), text)
        check(not re.search(r" RUN .* DONE", text), text)
        check(re.search(r"^\[\+\] Building .* CANCELED\nerror: interrupted\nstatus 130$", text, re.MULTILINE), text)
        window.run("build", "--builder", "buildkit", "--no-cache", "--progress", "plain", context)
        window.see(r"tick 3$", "no output")
        window.key("C-c")
        text = window.ends(130)
        number = re.search(r"^#(\d+) \[2/2\] RUN ", text, re.MULTILINE)
        check(number and re.search(rf"^(\^C)?#{number[1]} CANCELED$", text, re.MULTILINE), text)
        check(not re.search(rf"^#{number[1]} DONE", text, re.MULTILINE), text)


def case_killing_it_leaves_the_terminal_as_it_was():
    with terminal(ticks(100, 100)) as (window, context):
        window.run("build", "--builder", "classic", context)
        window.see(r"# tick 3$", "no output")
        pid = window.tmux("display-message", "-p", "-t", "main", "#{pane_pid}").strip()
        child = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        check(len(child) == 1, child)
        os.kill(int(child[0]), 9)
        window.ends(137)


def case_stopping_and_continuing():
    with terminal(ticks(40, 150)) as (window, context):
        window.run("build", "--builder", "classic", "-t", tag("stopped"), context)
        window.see(r"# tick 3$", "no output")
        window.key("C-z")
        window.see(r"Stopped", "not stopped")
        shown, x, _ = window.cursor()
        check(shown and window.wrap(), "the terminal is not as it was while stopped")
        window.type("clear; fg; echo status $?")
        screen = window.see(r"# tick \d\d$", "nothing is drawn")
        check(screen.count("[+] Building") == 1, screen)
        window.ends(0)


def case_without_colours():
    with terminal(ticks(10, 150)) as (window, context):
        window.run("build", "--builder", "classic", context)
        window.see(r"# tick 3$", "no output")
        check("\x1b[" in window.screen(colours=True), "no colour at all")
        window.ends(0)
    with terminal(ticks(10, 150), NO_COLOR="1") as (window, context):
        window.run("build", "--builder", "classic", "-t", tag("plain"), context)
        window.see(r"# tick 3$", "no output")
        check("\x1b[" not in window.screen(colours=True), "a colour in spite of NO_COLOR")
        window.ends(0)


def case_it_falls_back_to_lines():
    """Into a pipe, on a dumb terminal, or with --progress plain."""
    ways = [(["--progress", "tty"], " 2>&1 | cat", {}), ([], " 2>&1 | cat", {}), (["--progress", "plain"], "", {}),
            (["--progress", "tty"], "", {"TERM": "dumb"})]
    for options, behind, more in ways:
        with terminal(ticks(2, 10)) as (window, context):
            assignments = "".join(f"{key}={value} " for key, value in more.items())
            words = " ".join(map(shlex.quote, [TOOL, "build", *options, context]))
            window.type(f"clear; {assignments}{words}{behind}; echo status $?")
            window.see(r"^status 0$", "no end")
            text = window.screen(history=True)
            check(re.search(r"^#\d+ DONE \d\.\ds$", text, re.MULTILINE) and "[+]" not in text, text)
            check(re.search(r"^#\d+ \d\.\d{3} tick 2$", text, re.MULTILINE), text)


# --- main -------------------------------------------------------------------


def remove_all():
    for one in made:
        with contextlib.suppress(OSError):
            ask(f"DELETE /images/{one}?force=1".encode())


def main():
    if shutil.which("tmux") is None or not HOST.startswith("unix://"):
        print("skipped: no tmux" if HOST else "skipped: DOCKLINE_TEST_DOCKER_HOST is not set (unix:///path of a daemon)")
        return 77
    try:
        return cases.run(dict(sorted(cases.cases_of(globals()).items())), chosen=sys.argv[4:])
    finally:
        remove_all()


sys.exit(main())
