"""Builds, from outside."""

import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import time

from tool_support import (IMAGE_ID, SOCKET, Connection, Result, archive_of, as_nobody, ask, base, check, comes_to, ended,
                          environment, has_image, inspect, is_podman, name, run, start, tree)


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
        # To BuildKit a LABEL is no step.
        check(re.match(r'error: step (2/2|3/3) RUN \["/probe"', last) and ": exit code 7" in last, result)
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
    # BuildKit asks for a context only where something of it is used.
    with tree(Dockerfile=f'FROM {base()}\nCOPY file /\nRUN ["/probe", "lines", "3", "5"]\n', file="x") as top:
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
        return archive_of(mode, ("Dockerfile", text), ("sub/D", text + "LABEL from=D\n"), ("file", "x" * 300_000))

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


def case_interrupted_build():
    mark = name("interrupted")
    seconds = "5" if is_podman() else "120"
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
        ended(run("build", "-q", "--builder", "classic", *common, "-t", ours, str(top)), 0)
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
