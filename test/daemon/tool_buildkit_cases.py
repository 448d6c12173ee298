"""Builds with BuildKit and a session, from outside; on an engine without it, that this is said."""

import base64
import contextlib
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tarfile

from token_server import signed_token, token_server
from tool_support import (IMAGE_ID, PROBE, TOOL, Result, archive_of, ask, base, check, comes_to, ended, environment, has_image, inspect, is_podman, made, name,
                          refused, run, start, tree)


def events_of(result):
    return [json.loads(line) for line in result.err.splitlines() if line.startswith("{")]


def fingerprint(path):
    """What the probe says of this file: its size, and what tells its content from other content."""
    done = subprocess.run([PROBE, "walk", str(path.parent)], capture_output=True, text=True, check=True)
    return next(line.split()[2] for line in done.stdout.splitlines() if line.endswith("/" + path.name))

# Where the registry says that its tokens are given: tools/private-engine.
TOKEN_PORT = 5003


def case_the_builder_that_the_daemon_has():
    with tree(Dockerfile=f"FROM {base()}\nCOPY file /\n", file="x") as top:
        result = ended(run("build", "--progress", "json", "-t", name("chosen"), str(top)), 0)
        chosen = [event for event in events_of(result) if event["event"] == "builder_chosen"]
        check(len(chosen) == 1 and chosen[0]["builder"] == ("classic" if is_podman() else "buildkit") and chosen[0]["reason"], chosen)
        classic = ended(run("build", "--progress", "json", "--builder", "classic", "-t", name("classic"), str(top)), 0)
        check(all(event["builder"] == "classic" for event in events_of(classic) if event["event"] == "builder_chosen"), classic)
        if is_podman():
            for words in (["--builder", "buildkit"], ["--secret", "id=file,src=" + str(top / "file")], ["-o", str(top / "out")]):
                result = run("build", *words, str(top))
                check(result.status != 0 and "BuildKit" in result.err and "Libpod" in result.err, result)


def case_an_archive_goes_to_buildkit():
    """Also one that BuildKit itself would take for a Dockerfile, since its first name needs a header of its own."""
    text = f'FROM {base()}\nCOPY file /got/\nRUN --mount=type=secret,id=s,required=true ["/probe", "cat", "/run/secrets/s"]\n'
    whole = archive_of("w:", ("long/" * 50 + "name", "first"), ("Dockerfile", text), ("file", "x" * 300_000), mtime=1.5)
    with tree(secret="archived\n") as top:
        words = ["build", "--no-cache", "--progress", "json", "--secret", f"id=s,src={top / 'secret'}"]
        result = run(*words, "-t", (tag := name("archive")), "-", stdin=whole)
        if is_podman():
            check(result.status != 0 and "a secret needs a session of BuildKit" in result.err, result)
            return "no BuildKit"
        ended(result, 0)
        check([event["builder"] for event in events_of(result) if event["event"] == "builder_chosen"] == ["buildkit"], result)
        check("/file" in ended(run("run", "--rm", tag, "walk", "/got"), 0).out, "what was copied")
        ended(run(*words, "-o", str(top / "out"), "-", stdin=gzip.compress(whole)), 0)
        check((top / "out/got/file").read_text() == "x" * 300_000, "the result on this side")
        failing = run(*words[:2], "-", stdin=whole)
        check(failing.status == 1 and "secret" in failing.err, failing)
        classic = ended(run("build", "--builder", "classic", "-q", "-t", name("classic"), "-",
                            stdin=whole.replace(b"RUN --mount=type=secret,id=s,required=true", b"RUN " + b" " * 38)), 0)
        check(IMAGE_ID.fullmatch(classic.out), classic)


def case_both_builders_make_the_same_image():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile=f'FROM {base()}\nCOPY . /all/\nENV A="b c"\nWORKDIR /all\nLABEL l=m\nCMD ["walk", "/all"]\n', a="1", _hidden="2") as top:
        (top / "deep/er").mkdir(parents=True)
        (top / "deep/er/\u00e4 file").write_text("3" * 70_000)
        (top / "deep/program").write_text("#!/bin/sh\n")
        (top / "deep/program").chmod(0o755)
        (top / "link").symlink_to("deep/er/nowhere")
        os.link(top / "a", top / "twin")
        (top / ".dockerignore").write_text("dropped\n*.log\n!kept.log\n")
        (top / "dropped").write_text("x")
        (top / "x.log").write_text("x")
        (top / "kept.log").write_text("x")
        listings, configs = [], []
        for builder in ("buildkit", "classic"):
            tag = name(builder)
            ended(run("build", "-q", "--builder", builder, "-t", tag, str(top)), 0)
            listings.append(ended(run("run", "--rm", tag), 0).out)
            config = inspect(tag)["Config"]
            configs.append({key: config.get(key) for key in ("Env", "WorkingDir", "Labels", "Cmd", "Entrypoint")})
        check(listings[0] == listings[1] and "program" in listings[0] and "x.log" not in listings[0], "\n".join(listings))
        check(configs[0] == configs[1], configs)


def case_only_what_changed_is_sent():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile=f"FROM {base()}\nCOPY . /all/\n") as top:
        for i in range(200):
            (top / f"file{i}").write_bytes(os.urandom(5000))

        def sent(tag):
            result = ended(run("build", "--progress", "json", "-t", tag, str(top)), 0)
            return [event for event in events_of(result) if event["event"] == "context_progress"][-1]["bytes_sent"]

        first = sent(name("first"))
        (top / "file77").write_bytes(os.urandom(6000))
        second = sent(name("second"))
        check(first > 200 * 5000, f"{first} bytes at first")
        check(second <= 6000 + 100 * 202, f"{second} bytes for a file of 6000")


def case_a_rebuild_leaves_nothing_beside_hard_links():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile=f"FROM {base()}\nCOPY tree /tree\n") as top:
        (top / "tree").mkdir()
        (top / "tree/a").write_text("1")
        os.link(top / "tree/a", top / "tree/twin")
        listings = []
        for turn in range(4):
            ended(run("build", "-q", "--no-cache", "-t", (tag := name(f"links{turn}")), str(top)), 0)
            listings.append(ended(run("run", "--rm", tag, "walk", "/tree"), 0).out)
        check(listings[0].count("\n") == 2 and set(listings) == {listings[0]}, listings)


def case_a_secret_is_seen_and_not_kept():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile=f'FROM {base()}\nRUN --mount=type=secret,id=word --mount=type=secret,id=other '
                         f'["/probe", "walk", "/run/secrets"]\n', word="swordfish-in-a-file", other="swordfish-in-a-variable") as top:
        tag, wanted = name("secret"), {fingerprint(top / "word"), fingerprint(top / "other")}
        result = ended(run("--debug", "build", "--no-cache", "--progress", "plain", "--secret", f"id=word,src={top / 'word'}",
                           "--secret", "id=other,env=WORD", "-t", tag, str(top), env=environment(WORD="swordfish-in-a-variable")), 0)
        check(all(one in result.err for one in wanted), result)
        history = ask("GET", f"/images/{tag}/history")[2].decode()
        check("swordfish" not in result.err + result.out + history + json.dumps(inspect(tag)), "the secret shows")
        # A newer daemon leaves no /run behind.
        listing = run("run", "--rm", tag, "walk", "/run").out
        check(not any(one in listing for one in wanted), listing)
        # What is wrong with one is said before the daemon is asked.
        for given, words in (("id=word,src=/no/such/file", "/no/such/file"), ("id=word,env=NOT_SET", "NOT_SET"), ("src=x", "id")):
            refused(2, [words], "build", "--secret", given, str(top))


def case_a_private_base_and_a_private_cache_image():
    registry = os.environ.get("DOCKLINE_TEST_CLOSED_REGISTRY", "")
    if is_podman() or not registry:
        return "no BuildKit" if is_podman() else "DOCKLINE_TEST_CLOSED_REGISTRY is not set"
    private = f"{registry}/{name('private')}:v1"
    made.append(private)

    def settings(top, password):
        auth = base64.b64encode(f"test:{password}".encode()).decode()
        (top / "config.json").write_text(json.dumps({"auths": {registry: {"auth": auth}}}))
        return environment(DOCKER_CONFIG=str(top))

    def imports(result):
        """How the look at the cache image ended."""
        events = events_of(result)
        index = next(event["index"] for event in events if event["event"] == "step_started" and "cache manifest" in event["name"])
        return {event["event"] for event in events if event.get("index") == index}

    with tree() as top, tree(Dockerfile=f"FROM {base()}\nLABEL private=1\nCOPY Dockerfile /private\n") as source:
        known = settings(top, "test")
        ended(run("build", "-q", "--cache-to", "type=inline", "--push", "-t", private, str(source), env=known), 0)
        ended(run("rmi", private), 0)
        with tree(Dockerfile=f"FROM {private}\nLABEL above=1\n") as above:
            # Who may not read it learns so, whether without a password or with a wrong one, which nobody gets to see.
            refused_base = ended(run("build", "-t", name("refused"), str(above)), 1)
            check(private in refused_base.err or "auth" in refused_base.err, refused_base)
            wrong = ended(run("--debug", "build", "-t", name("wrong"), str(above), env=settings(top, "hunter2")), 1)
            check("hunter2" not in wrong.err + wrong.out, "the password shows")
            tag, known = name("above"), settings(top, "test")
            shown = ended(run("--debug", "build", "--progress", "plain", "-t", tag, str(above), env=known), 0)
            check(base64.b64encode(b"test:test").decode() not in shown.err, "the password shows")
            check({"private", "above"} <= set(inspect(tag)["Config"]["Labels"]), inspect(tag))
        words = ["build", "--progress", "json", "--cache-from", private, "-t", name("cached"), str(source)]
        check("step_finished" in imports(ended(run(*words, env=known), 0)), "the cache image is not read")
        check("step_failed" in imports(ended(run(*words), 0)), "a cache image that nobody may read")


def layers(tag):
    """Everything in an image's layers, but for the times of directories."""
    found = []
    done = subprocess.run([TOOL, "save", tag], capture_output=True, env=environment(), timeout=120, check=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as image:
        for layer in json.load(image.extractfile("manifest.json"))[0]["Layers"]:
            with tarfile.open(fileobj=image.extractfile(layer)) as tar:
                for one in tar:
                    content = hashlib.sha256(tar.extractfile(one).read()).hexdigest() if one.isreg() else ""
                    found.append((one.name, oct(one.mode), one.uid, one.gid, one.type, one.linkname, content, not one.isdir() and one.mtime))
    return found


def case_images_equal_those_of_buildx():
    buildx = os.environ.get("DOCKLINE_TEST_BUILDX", "")
    if is_podman() or not buildx:
        return "no BuildKit" if is_podman() else "DOCKLINE_TEST_BUILDX is not set"
    lines = f'FROM {base()}\nCOPY . /\nCOPY --chown=3:4 deep /deep\nENV A="b c"\nLABEL l=m\nCMD ["walk", "/"]\n'
    # buildx keeps notes beside its configuration.
    with tree(Dockerfile=lines, a="1", _hidden="2") as top, tree() as notes:
        (top / "deep/er").mkdir(parents=True)
        (top / "deep/er/\u00e4 file").write_text("3" * 70_000)
        (top / "deep/program").write_text("#!/bin/sh\n")
        (top / "deep/program").chmod(0o4755)
        (top / "closed").mkdir(mode=0o700)
        (top / "closed/file").write_text("x")
        (top / "link").symlink_to("deep/er/nowhere")
        os.link(top / "a", top / "twin")
        os.mkfifo(top / "fifo")
        (top / ".dockerignore").write_text("dropped\n*.log\n!kept.log\n")
        for ignored in ("dropped", "x.log", "kept.log"):
            (top / ignored).write_text("x")
        ours, theirs = name("ours"), name("theirs")
        ended(run("build", "-q", "--no-cache", "-t", ours, str(top)), 0)
        done = subprocess.run([buildx, "build", "--quiet", "--no-cache", "--load", "-t", theirs, str(top)], capture_output=True,
                              text=True, env=environment(DOCKER_CONFIG=str(notes)), timeout=120, check=False)
        check(done.returncode == 0, done.stderr)
        both = [inspect(ours), inspect(theirs)]
        # The layers to the last byte: names, contents, modes, owners, times. An older BuildKit leaves directories with the
        # time at which it wrote into them.
        if "Builder-Version" in {key.title() for key in ask("GET", "/_ping")[1]}:
            check(both[0]["RootFS"] == both[1]["RootFS"], [one["RootFS"] for one in both])
        check(layers(ours) == layers(theirs), "\n".join(f"{a}\n{b}" for a, b in zip(layers(ours), layers(theirs)) if a != b))
        check(both[0]["Config"] == both[1]["Config"], [one["Config"] for one in both])
        check(all(both[0][key] == both[1][key] for key in ("Os", "Architecture")), both)


def case_an_ssh_agent_is_forwarded():
    if is_podman() or not shutil.which("ssh-agent"):
        return "no BuildKit" if is_podman() else "no ssh-agent"
    with tree(Dockerfile=f'FROM {base()}\nRUN --mount=type=ssh ["/probe", "walk", "/run/buildkit"]\n') as top:
        agent_socket = str(top.parent / (top.name + ".agent"))
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", agent_socket], stdout=subprocess.DEVNULL)
        try:
            while not os.path.exists(agent_socket):
                check(agent.poll() is None, "no agent")
            result = ended(run("build", "--no-cache", "--progress", "plain", "--ssh", "default", "-t", name("ssh"), str(top),
                               env=environment(SSH_AUTH_SOCK=agent_socket)), 0)
            check("ssh_agent.0" in result.err, result)
        finally:
            agent.terminate()
            agent.wait()
            with contextlib.suppress(OSError):
                os.unlink(agent_socket)
        refused(2, [agent_socket], "build", "--ssh", f"default={agent_socket}", str(top))
        # One that nobody listens at.
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as dead:
            dead.bind(agent_socket)
            refused(2, [agent_socket], "build", "--ssh", f"default={agent_socket}", str(top))
            os.unlink(agent_socket)
        check("ssh" in ended(run("build", "--no-cache", str(top)), 1).err, "no agent at all")


def case_a_step_asks_an_ssh_agent_for_its_keys():
    if is_podman() or not shutil.which("ssh-agent"):
        return "no BuildKit" if is_podman() else "no ssh-agent"
    with tree(Dockerfile=f'FROM {base()}\nRUN --mount=type=ssh ["/probe", "keys"]\n') as top, tree() as outside:
        agent_socket = str(outside / "agent")
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", agent_socket], stdout=subprocess.DEVNULL)
        try:
            while not os.path.exists(agent_socket):
                check(agent.poll() is None, "no agent")
            known = environment(SSH_AUTH_SOCK=agent_socket)
            for keys in (0, 1, 2):
                result = ended(run("build", "--no-cache", "--progress", "plain", "--ssh", "default", "-o", "type=cacheonly", str(top), env=known), 0)
                check(f"answer 12, {keys} keys" in result.err, result)
                for words in (["ssh-keygen", "-q", "-N", "", "-f", str(outside / f"key{keys}")], ["ssh-add", "-q", str(outside / f"key{keys}")]):
                    subprocess.run(words, env=known, check=True, timeout=60, capture_output=True)
        finally:
            agent.terminate()
            agent.wait()


def case_an_image_comes_as_an_archive():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile=f"FROM {base()}\nLABEL archive=1\n") as top, tree() as out:
        loaded = name("archived")
        for kind in ("oci", "docker"):
            archive = out / f"{kind}.tar"
            result = run("build", "-o", f"type={kind},dest={archive},name=docker.io/library/{loaded}", str(top))
            if "Descriptor" not in inspect(base()):
                ended(result, 1)
                check("containerd image store" in result.err and not archive.exists() and not list(out.glob("*.tar*")), result)
                continue
            check(ended(result, 0).out == "", result)
            with tarfile.open(archive) as tar:
                index = json.load(tar.extractfile("index.json"))
                manifest = json.load(tar.extractfile("blobs/" + index["manifests"][0]["digest"].replace(":", "/")))
                config = json.load(tar.extractfile("blobs/" + manifest["config"]["digest"].replace(":", "/")))
                check(config["config"]["Labels"]["archive"] == "1" and ("manifest.json" in tar.getnames()) == (kind == "docker"), config)
        if not (out / "docker.tar").exists():
            return "no containerd image store"
        check(loaded in ended(run("load", "-i", str(out / "docker.tar")), 0).out and has_image(loaded), "loaded")


def case_files_of_a_result_that_is_no_image():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile="FROM scratch\nCOPY Dockerfile /\n") as top, tree(id="of an earlier build") as out:
        ended(run("build", "-o", str(out / "result"), "--iidfile", str(out / "id"), "--metadata-file", str(out / "about"), str(top)), 0)
        check((out / "result/Dockerfile").exists() and not (out / "id").exists(), "an id of no image")
        # The daemon hardly takes the time to say that it has heard of the result's arrival.
        for _ in range(20):
            ended(run("build", "-o", str(out / "result"), str(top)), 0)
        check(json.loads((out / "about").read_text()) == {}, (out / "about").read_text())


def case_a_result_comes_to_this_side():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile="FROM scratch\nCOPY file /sub/file\nCOPY program /\n", file="x" * 100_000, program="p") as top, tree() as out:
        (top / "program").chmod(0o755)
        result = ended(run("build", "-o", str(out / "local"), str(top)), 0)
        check(result.out == "", result)
        check((out / "local/sub/file").read_text() == "x" * 100_000 and os.access(out / "local/program", os.X_OK), "local")
        ended(run("build", "--output", f"type=tar,dest={out / 'result.tar'}", str(top)), 0)
        with tarfile.open(out / "result.tar") as tar:
            check({"sub/file", "program"} <= set(tar.getnames()), tar.getnames())
        done = subprocess.run([TOOL, "build", "-o", "-", str(top)], capture_output=True, env=environment(),
                              timeout=120, check=False)
        check(done.returncode == 0, done.stderr)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            check("program" in tar.getnames(), tar.getnames())
        # What was there is replaced, whatever it was.
        (top / "program").unlink()
        (top / "program").mkdir()
        (top / "program/inner").write_text("i")
        (out / "local/sub/file").unlink()
        (out / "local/sub/file/old").mkdir(parents=True)
        (out / "local/stays").write_text("s")
        (top / "Dockerfile").write_text("FROM scratch\nCOPY file /sub/file\nCOPY program /program\n")
        ended(run("build", "-o", str(out / "local"), str(top)), 0)
        check((out / "local/sub/file").read_text() == "x" * 100_000 and (out / "local/program/inner").read_text() == "i", "replaced")
        check((out / "local/stays").read_text() == "s", "what has no counterpart")
        refused(2, ["--output"], "build", "-o", "type=nonsense,dest=x", str(top))
        pathlib.Path(out / "a-file").write_text("")
        result = run("build", "-o", str(out / "a-file" / "below"), str(top))
        check(result.status == 1 and "a-file" in result.err, result)


def case_a_build_for_its_cache_alone():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile=f'FROM {base()}\nCOPY file /\nRUN ["/probe", "lines", "0", "3"]\n', file=os.urandom(8).hex()) as top:
        tag = name("after")
        result = ended(run("build", "-t", tag, "-o", "type=cacheonly", str(top)), 0)
        check(result.out == "" and not has_image(tag), result)
        again = ended(run("build", "--progress", "json", "-t", tag, str(top)), 0)
        check(sum(event["event"] == "step_cached" for event in events_of(again)) >= 2 and has_image(tag), again)
        (top / "Dockerfile").write_text(f'FROM {base()}\nRUN ["/probe", "lines", "4", "3"]\n')
        ended(run("build", "-o", "type=cacheonly", str(top)), 1)
        refused(2, ["--push"], "build", "--push", "-t", tag, "-o", "type=cacheonly", str(top))


def case_a_failed_step_shows_its_lines():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile=f'FROM {base()}\nLABEL before=1\nRUN ["/probe", "lines", "9", "30"]\nLABEL after=1\n') as top:
        tag = name("lines")
        result = ended(run("build", "--no-cache", "-t", tag, str(top)), 1)
        last = result.err.splitlines()[-1]
        check(re.match(r'error: step \d+/\d+ RUN \["/probe", "lines", "9", "30"\]: exit code 9', last), result)
        check(re.search(r"^.*3 \| .*RUN \[", result.err, re.MULTILINE) and "line 30" in result.err, result)
        check(not has_image(tag), "tagged all the same")
        # The end of the log is said again where many steps may have come between, as buildx does.
        shown = ended(run("build", "--no-cache", "--progress", "plain", str(top)), 1).err
        block = re.search(r"^------\n > \[2/2\] RUN \[.*\]:\n((?:line \d+\n)+)------\nDockerfile:3\n-+\n", shown, re.MULTILINE)
        check(block and block[1].endswith("line 29\nline 30\n"), shown)
        events = events_of(ended(run("build", "--no-cache", "--progress", "json", str(top)), 1))
        failed, = [event for event in events if event["event"] == "step_failed"]
        check(failed["exit_code"] == 9 and failed["log_tail"].endswith("line 30\n") and failed["file"] == "Dockerfile", failed)
        check(failed["first_line"] == failed["last_line"] == 3 and ">>> RUN" in failed["excerpt"], failed)


def case_the_lines_of_a_step_in_a_stage_on_another():
    if is_podman():
        return "no BuildKit"
    many = "".join(f"WORKDIR /w{i}\n" for i in range(10))
    text = f'FROM {base()} AS first\nWORKDIR /a\nFROM first AS second\nWORKDIR /a\nRUN ["/probe", "exit", "4"]\n{many}'
    with tree(Dockerfile=text) as top:
        events = events_of(ended(run("build", "--no-cache", "--progress", "json", str(top)), 1))
        failed, = [event for event in events if event["event"] == "step_failed"]
        check(failed["first_line"] == failed["last_line"] == 5 and ">>> RUN" in failed["excerpt"], failed)


def case_thousands_of_patterns():
    """BuildKit sends all of them back in the headers of one call, as it does the sources of a COPY."""
    ignored = "".join(f"some/long/path/of/number-{i:05}/*.log\n" for i in range(5000))
    with tree(Dockerfile=f"FROM {base()}\nCOPY . /got/\n", **{".dockerignore": ignored, "kept": "x", "some/long/path/of/number-04999/a.log": "x"}) as top:
        ended(run("build", "-t", (tag := name("wide")), str(top)), 0)
        walked = ended(run("run", "--rm", tag, "walk", "/got"), 0).out
        check("/kept" in walked and "a.log" not in walked, walked)


def case_a_thousand_lines_and_many_steps():
    if is_podman():
        return "no BuildKit"
    steps = "".join(f"COPY file /file{i}\n" for i in range(40))
    stages = "".join(f'FROM {base()} AS s{i}\nRUN ["/probe", "lines", "0", "{3 + i}"]\n' for i in range(12))
    copies = "".join(f"COPY --from=s{i} /data /data{i}\n" for i in range(12))
    with tree(Dockerfile=f'{stages}FROM {base()}\n{copies}{steps}RUN ["/probe", "lines", "0", "1000"]\n', file="x") as top:
        result = ended(run("build", "--no-cache", "--progress", "json", "-t", name("many"), str(top)), 0)
        events = events_of(result)
        started = {event["index"]: event["name"] for event in events if event["event"] == "step_started"}
        check(len(started) >= 64, len(started))
        index = next(key for key, text in started.items() if '"1000"' in text)
        log = "".join(event["bytes"] for event in events if event["event"] == "step_log" and event["index"] == index)
        check(log.splitlines() == [f"line {i}" for i in range(1, 1001)], log[-200:])
        finished = {event["index"] for event in events if event["event"] == "step_finished"}
        check(set(started) <= finished | {event["index"] for event in events if event["event"] == "step_cached"}, set(started) - finished)


def case_cancelling_ends_the_step_on_the_daemon():
    if is_podman():
        return "no BuildKit"
    mark = name("mark")
    with tree(Dockerfile=f'FROM {base()}\nRUN ["/probe", "ticks", "0", "600", "100", "{mark}"]\n') as top:
        tag = name("cancelled")
        build = start("build", "--builder", "buildkit", "-t", tag, str(top))
        check(comes_to(1, mark, 30), "the step does not run")
        build.send_signal(signal.SIGINT)
        out, err = build.communicate(timeout=30)
        check(build.returncode == 130 and out == "", Result(subprocess.CompletedProcess([], build.returncode, out, err)))
        check(comes_to(0, mark, 5), "the step runs on")
        check(not has_image(tag), "tagged all the same")
        check(IMAGE_ID.fullmatch(ended(run("build", "-q", "-t", name("next"), "-", stdin=f"FROM {base()}\nLABEL a=b\n"), 0).out), "the next build")


def case_heredocs_and_mounts():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile=f"FROM {base()}\nCOPY <<one <<two /here/\nfirst\none\nsecond\ntwo\n"
                         f'RUN --mount=type=bind,source=file,target=/mnt/file ["/probe", "walk", "/mnt"]\n'
                         f'COPY --chmod=0600 file /closed/\n', file="bound") as top:
        result = run("build", "--no-cache", "--progress", "plain", "-t", (tag := name("heredoc")), str(top))
        if result.status == 1 and "one" in result.err and "unknown" in result.err.lower():
            return "this daemon's frontend has no heredocs"
        ended(result, 0)
        check("/file" in result.err, result)
        listing = ended(run("run", "--rm", tag, "walk", "/here"), 0).out
        check("/one" in listing and "/two" in listing, listing)
        check(re.search(r"^f 0600 \S+ /file$", ended(run("run", "--rm", tag, "walk", "/closed"), 0).out, re.MULTILINE), "mode")


def case_a_registry_that_wants_tokens():
    """The server of tokens is where the engine does not reach it: the token can only come through the session."""
    registry, key = (os.environ.get(f"DOCKLINE_TEST_TOKEN_{what}", "") for what in ("REGISTRY", "KEY"))
    if is_podman():
        return "no BuildKit"
    if not registry or not key:
        return "DOCKLINE_TEST_TOKEN_REGISTRY and DOCKLINE_TEST_TOKEN_KEY are not set"
    repository = name("tokens")
    reference = f"{registry}/{repository}:v1"
    made.append(reference)

    def settings(**auth):
        (outside / "config.json").write_text(json.dumps({"auths": {registry: auth}}))
        return environment(DOCKER_CONFIG=str(outside))

    def login(password):
        return settings(auth=base64.b64encode(f"ann:{password}".encode()).decode())

    with tree() as outside, tree(Dockerfile=f"FROM {reference}\nLABEL private=1\n") as top:
        ended(run("tag", base(), reference), 0)
        pushing = signed_token(key, registry, "ann", [f"repository:{repository}:pull,push"])
        ended(run("push", reference, env=settings(registrytoken=pushing)), 0)
        ended(run("rmi", reference), 0)
        words = ["build", "--builder", "buildkit", "--no-cache", "--pull", "-q", str(top)]
        with token_server(TOKEN_PORT, key, registry, "ann", "s3cret") as asked:
            ended(run(*words), 1)
            # An engine that reaches the server asks it by itself for whoever has no credentials.
            check(all(method == "GET" for method, _ in asked), asked)
            asked.clear()
            ended(run(*words, env=login("s3cret")), 0)
            check(asked and all(method == "POST" and fields["client_id"] == ["buildkit-client"] and
                                fields["scope"] == [f"repository:{repository}:pull"] for method, fields in asked), asked)
            wrong = ended(run(*words, env=login("hunter2")), 1)
            check("gives no token for " + registry in wrong.err and "incorrect username or password" in wrong.err, wrong)
            check("hunter2" not in wrong.err, wrong)
            # What is configured as a token needs nobody.
            count = len(asked)
            ended(run(*words, env=settings(registrytoken=pushing)), 0)
            check(len(asked) == count, asked[count:])
        unreached = ended(run(*words, env=login("s3cret")), 1)
        check("cannot connect to http://127.0.0.1:5003" in unreached.err, unreached)
        with token_server(TOKEN_PORT, key, registry, "ann", "s3cret") as asked:
            by_daemon = run(*words, env={**login("s3cret"), "BUILDKIT_NO_CLIENT_TOKEN": "1"})
            # Which fails where the engine does not reach the server.
            check(all(method == "GET" for method, _ in asked) and bool(asked) == (by_daemon.status == 0), (by_daemon, asked))


def case_limits_of_the_steps():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile=f"FROM {base()}\nRUN [\"/probe\", \"show\", \"/proc/self/limits\"]\n") as top:
        words = ["build", "--no-cache", "--progress", "plain", "--ulimit", "nofile=77:78", "--shm-size", "17m", str(top)]
        result = ended(run(*words), 0)
        limited = re.search(r"Max open files +77 +78 ", result.err) is not None
        warned = "passes over the size of /dev/shm, the ulimit nofile" in result.err
        check(limited != warned, result)
        check(re.search(r"Max open files +77 +78 ", ended(run(*words, "--builder", "classic"), 0).err), "classic")


def case_cache_mounts_links_and_platforms():
    if is_podman():
        return "no BuildKit"
    with tree(Dockerfile=f'FROM {base()}\nRUN --mount=type=cache,target=/kept ["/probe", "walk", "/kept"]\n') as top:
        result = ended(run("build", "--no-cache", "--progress", "plain", "-t", (tag := name("mounted")), str(top)), 0)
        check('"walk", "/kept"' in result.err and "f 0" not in run("run", "--rm", tag, "walk", "/kept").out, result)
        # What a step leaves there the next build finds, and nobody else.
        # The name of the cache is no part of what a step is known again by.
        first, second = os.urandom(8).hex(), os.urandom(8).hex()
        for word, seen in ((first, f"{first}\n"), (second, f"{first}\n{second}\n")):
            (top / "Dockerfile").write_text(f'FROM {base()}\n'
                                            f'RUN --mount=type=cache,id={tag},target=/kept ["/probe", "append", "/kept/words", "{word}"]\n'
                                            f'RUN --mount=type=cache,id={tag},target=/kept ["/probe", "show", "/kept/words"]\n')
            events = events_of(ended(run("build", "--progress", "json", "-t", tag, str(top)), 0))
            check("".join(event["bytes"] for event in events if event["event"] == "step_log") == seen, events)
    with tree(Dockerfile=f"FROM scratch AS first\nCOPY file /\nFROM {base()}\nCOPY --link --from=first file /linked/\n", file="1") as top:
        result = run("build", "-t", (tag := name("link")), str(top))
        if result.status == 1 and "Unknown flag: link" in result.err:
            skipped = "this daemon's frontend has no --link"
        else:
            ended(result, 0)
            check("/file" in ended(run("run", "--rm", tag, "walk", "/linked"), 0).out, "what was linked")
            skipped = None
        (top / "Dockerfile").write_text("FROM scratch\nARG TARGETPLATFORM\nLABEL p=$TARGETPLATFORM\n")
        ended(run("build", "--platform", "linux/arm64", "-t", (tag := name("arm")), str(top)), 0)
        made_for = inspect(tag)
        check((made_for["Os"], made_for["Architecture"], made_for["Config"]["Labels"]["p"]) == ("linux", "arm64", "linux/arm64"), made_for)
        refused(2, ['"linux/amd64,linux/arm64"', "one platform at a time"], "build", "--platform", "linux/amd64,linux/arm64", str(top))
    return skipped
