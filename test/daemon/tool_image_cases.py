"""Images, logs, events, prune and info, from outside; pushes where there is a registry.

The registry is DOCKLINE_TEST_REGISTRY ("127.0.0.1:5000"), which the engine has to reach and speaks to without TLS.
DOCKLINE_TEST_CLOSED_REGISTRY is one that wants the user "test" with the password "test".
"""

import base64
import contextlib
import hashlib
import io
import json
import os
import pty
import re
import select
import subprocess
import tarfile
import time

from tool_support import (PREFIX, TOOL, ask, base, check, ended, environment, has_image, inspect,
                          is_podman, made, name, refused, run, start, tree)

PINNED = re.compile(r"(\S+)@sha256:[0-9a-f]{64}\n")


def labelled(label):
    """A new image with a label."""
    with tree(Dockerfile=f"FROM {base()}\nLABEL {label}=1\n") as top:
        tag = name("labelled")
        ended(run("build", "-q", "-t", tag, str(top)), 0)
        return tag


def on_a_terminal(*words, answer=b"", seconds=20):
    """The command with a terminal for its input and its errors: its status, its output, and what the terminal shows."""
    leader, follower = pty.openpty()
    child = subprocess.Popen([TOOL, *words], stdin=follower, stdout=subprocess.PIPE, stderr=follower, env=environment(),
                             start_new_session=True)
    os.close(follower)
    shown, end = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            if select.select([leader], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    shown += os.read(leader, 4096)
            if answer and shown.endswith(b"] "):
                os.write(leader, answer)
                answer = b""
            if child.poll() is not None:
                break
        out = child.communicate(timeout=5)[0]
    finally:
        child.kill()
        os.close(leader)
    return child.returncode, out.decode(), shown.decode()


def case_tag_images_and_rmi():
    image, second = labelled("tagged"), name("second") + ":v1"
    made.append(second)
    ended(run("tag", image, second), 0)
    listed = ended(run("images", "--format", "json", "--filter", "label=tagged"), 0)
    rows = [json.loads(line) for line in listed.out.splitlines()]
    ours = [row for row in rows if row["repository"].endswith(second[:-3]) and row["tag"] == "v1"]
    check(len(ours) == 1 and re.fullmatch("sha256:[0-9a-f]{64}", ours[0]["id"]), listed)
    check(ours[0]["size"] > 0 and ours[0]["created"] > 1_700_000_000 and listed.err == "", listed)
    table = ended(run("images", second), 0).out.splitlines()
    check(re.fullmatch(r"REPOSITORY +TAG +IMAGE ID +CREATED +SIZE", table[0]) and len(table) == 2, table)
    check(second[:-3] in table[1] and ours[0]["id"][7:19] in table[1] and " ago " in table[1], table)
    check(table[0].index("IMAGE ID") == table[1].index(ours[0]["id"][7:19]), table)
    check(ended(run("images", "-q", "--no-trunc", second), 0).out == ours[0]["id"] + "\n", "-q --no-trunc")
    check("DIGEST" in ended(run("images", "--digests", second), 0).out, "--digests")
    gone = ended(run("rmi", second), 0)
    check(gone.out.startswith("Untagged: ") and second in gone.out and "Deleted" not in gone.out, gone)
    # One that is not there does not keep the other.
    both = ended(run("rmi", second, image), 1)
    check(both.err.startswith("error: ") and image in both.out and not has_image(image), both)
    refused(1, [second], "tag", second, name("third"))
    refused(2, ["Bad"], "tag", base(), "Bad")
    refused(2, ["--filter"], "images", "--filter", "nonsense")


def case_inspect():
    image = base()
    array = json.loads(ended(run("inspect", image, image), 0).out)
    # What is told of an image depends on the version that it is asked in.
    spoken = re.search(r"/v1\.\d+/", run("--debug", "inspect", image).err)[0]
    check(len(array) == 2 and array[0] == json.loads(ask("GET", f"{spoken}images/{image}/json")[2]) == array[1], array)
    line = ended(run("inspect", "--format", "json", "--type", "image", image), 0).out
    check(line.count("\n") == 1 and json.loads(line) == array[0], line)
    container = name("inspected")
    ended(run("run", "--name", container, image, "exit", "3"), 3)
    found = json.loads(ended(run("inspect", container), 0).out)[0]
    check(found["State"]["ExitCode"] == 3, found["State"])
    partly = ended(run("inspect", name("none"), image), 1)
    check(len(json.loads(partly.out)) == 1 and "no such container or image" in partly.err, partly)
    check(ended(run("inspect", "--type", "container", image), 1).out == "[]\n", "an image that is a container")


def case_save_and_load():
    image = labelled("saved")
    with tree() as top:
        where = top / "image.tar"
        ended(run("save", "-o", str(where), image), 0)
        check([one.name for one in top.iterdir()] == ["image.tar"], list(top.iterdir()))
        with tarfile.open(where) as archive:
            check("manifest.json" in archive.getnames(), archive.getnames())
        piped = subprocess.run([TOOL, "save", image], capture_output=True, env=environment(), timeout=60)
        check(piped.returncode == 0 and tarfile.open(fileobj=io.BytesIO(piped.stdout)).getnames(), piped.stderr)
        ended(run("rmi", image), 0)
        loaded = ended(run("load", "-i", str(where)), 0)
        check(re.fullmatch(rf"Loaded image: (\S+/)?{image}:latest\n", loaded.out), loaded)
        check(has_image(image), "not loaded")
        with where.open("rb") as tar:
            quiet = subprocess.run([TOOL, "load", "-q"], stdin=tar, capture_output=True, env=environment(), timeout=60)
        check(quiet.returncode == 0 and quiet.stderr == b"" and image.encode() in quiet.stdout, quiet)
        # What fails leaves the file of before alone.
        where.write_text("of before")
        failed = run("save", "-o", str(where), name("none"))
        check(failed.status == 1 and where.read_text() == "of before" and len(list(top.iterdir())) == 1, failed)
        refused(1, [], "load", "-i", str(where))
        refused(2, ["absent"], "load", "-i", str(top / "absent"))
        refused(1, ["absent"], "save", "-o", str(top / "absent/x"), base())


def case_save_and_load_refuse_a_terminal():
    status, _, shown = on_a_terminal("load")
    check(status == 2 and "terminal" in shown, shown)
    leader, follower = pty.openpty()
    done = subprocess.run([TOOL, "save", base()], stdout=follower, stderr=subprocess.PIPE, text=True, env=environment(),
                          timeout=20)
    os.close(follower)
    os.close(leader)
    check(done.returncode == 2 and "terminal" in done.stderr, done)


def case_logs():
    container = name("logged")
    ended(run("run", "--name", container, base(), "say", "0", "to out\n", "to err\n"), 0)
    result = ended(run("logs", container), 0)
    check(result.out == "to out\n" and result.err == "to err\n", result)
    check(re.fullmatch(r"20\d\d-\S+ to out\n", ended(run("logs", "-t", container), 0).out), "no time in front")
    lines = name("lines")
    ended(run("run", "--name", lines, base(), "lines", "0", "20"), 0)
    check(ended(run("logs", "-n", "2", lines), 0).out == "line 19\nline 20\n", "--tail")
    check(ended(run("logs", "--tail", "all", "--since", "1h", lines), 0).out.count("\n") == 20, "--since")
    check(ended(run("logs", "--until", "1h", lines), 0).out == "", "--until")
    refused(1, [], "logs", name("none"))
    for wrong in (["--tail", "some"], ["--since", "yesterday"], ["--until", "-5m"]):
        refused(2, [], "logs", *wrong, lines)


def case_logs_that_go_on():
    container = name("followed")
    ended(run("run", "-d", "--name", container, base(), "sleep", "60", container), 0)
    child = start("logs", "-f", container)
    check(child.stdout.readline() == "asleep\n", "nothing is shown")
    check(child.poll() is None, "it does not go on")
    check(ask("POST", f"/containers/{container}/kill")[0] == 204, "cannot be killed")
    check(child.wait(timeout=20) == 0, child.returncode)


def case_events():
    began = time.time() - 1
    image = name("seen")
    ended(run("tag", base(), image), 0)
    words = ["events", "--since", str(int(began)), "--until", "0s", "--filter", "type=image", "--filter", "event=tag"]
    lines = [line for line in ended(run(*words), 0).out.splitlines() if image in line]
    check(len(lines) == 1 and re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z image tag ", lines[0]), lines)
    events = [json.loads(line) for line in ended(run(*words, "--format", "json"), 0).out.splitlines()]
    check(any(event["Action"] == "tag" and image in json.dumps(event) for event in events), events)
    refused(2, ["--since"], "events", "--since", "yesterday")


def case_events_interrupted():
    child = start("events", "--filter", "type=image")
    image = name("live")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        ended(run("tag", base(), image), 0)
        if select.select([child.stdout], [], [], 0.5)[0]:
            break
    check(" image tag " in child.stdout.readline(), "no event")
    child.send_signal(2)
    out, err = child.communicate(timeout=20)
    check(child.returncode == 130 and err == "error: interrupted\n", f"{child.returncode} {err}")


def case_prune():
    label = PREFIX + "prune"
    image, container = labelled(label), name("ended")
    ended(run("run", "--name", container, image, "exit", "0"), 0)
    kept = name("kept")
    ended(run("run", "--name", kept, base(), "exit", "0"), 0)
    words = ["prune", "-a", "--filter", f"label={label}"]
    refused(2, ["--force"], *words)
    status, out, shown = on_a_terminal(*words, answer=b"n\n")
    check(status == 1 and out == "" and label in shown and has_image(image), shown)
    # The container has the labels of its image.
    result = run(*words, "-f", "--format", "json")
    if result.status == 1 and is_podman() and '"dangling" filter' in result.err:
        return "podman 4 contradicts itself when all images are meant"
    ended(result, 0)
    gone = json.loads(result.out)
    check(len(gone["containers"]) == 1 and gone["untagged"] + gone["images"] and gone["build_cache"] == [], result)
    check(not has_image(image) and ask("GET", f"/containers/{kept}/json")[0] == 200, "the wrong ones")
    check("Total reclaimed space: 0B" in ended(run(*words, "-f"), 0).out, "nothing was left to remove")


def case_info():
    result = ended(run("info"), 0)
    check("Storage driver:" in result.out and "CPUs:" in result.out, result)
    check("ID" in json.loads(ended(run("info", "--format", "json"), 0).out), "no JSON")


def registry_and(what):
    registry = os.environ.get("DOCKLINE_TEST_REGISTRY", "")
    reference = f"{registry}/{name(what)}:v1"
    made.append(reference)
    return registry, reference


def case_push_and_pull():
    registry, reference = registry_and("pushed")
    if not registry:
        return "DOCKLINE_TEST_REGISTRY is not set"
    ended(run("tag", labelled("pushed"), reference), 0)
    pushed = ended(run("push", reference), 0)
    pinned = pushed.out
    check(PINNED.fullmatch(pinned).group(1) == reference.removesuffix(":v1") and pushed.err != "", pushed)
    quiet = ended(run("push", "-q", reference), 0)
    check(quiet.err == "" and PINNED.fullmatch(quiet.out), quiet)
    ended(run("rmi", reference), 0)
    pulled = ended(run("pull", reference), 0)
    # podman knows the image by another digest as well, which it had before it was pushed.
    check((PINNED.fullmatch(pulled.out) or is_podman() and pulled.out == reference + "\n") and has_image(reference), pulled)
    check(ended(run("pull", "-q", pinned.strip()), 0).err == "", "by digest")
    events = ended(run("pull", "--progress", "json", reference), 0).err.splitlines()
    check(events and {json.loads(line)["event"] for line in events} <= {"layer_progress", "transfer_finished"}, events)
    for missing in (reference.replace(":v1", ":none"), reference.replace(":v1", "-none")):
        refused_pull = ended(run("pull", missing), 1)
        check(refused_pull.out == "" and refused_pull.err.splitlines()[-1].startswith("error: "), refused_pull)
    absent = ended(run("push", f"{registry}/{name('absent')}"), 1)
    check(absent.out == "" and absent.err.splitlines()[-1].startswith("error: "), absent)
    refused(2, ["digest"], "push", pinned.strip())
    refused(2, ["Bad"], "pull", "Bad")


def case_push_and_pull_with_credentials():
    registry = os.environ.get("DOCKLINE_TEST_CLOSED_REGISTRY", "")
    if not registry:
        return "DOCKLINE_TEST_CLOSED_REGISTRY is not set"
    reference = f"{registry}/{name('closed')}:v1"
    made.append(reference)
    ended(run("tag", base(), reference), 0)

    def settings(top, password):
        auth = base64.b64encode(f"test:{password}".encode()).decode()
        (top / "config.json").write_text(json.dumps({"auths": {registry: {"auth": auth}}}))
        return environment(DOCKER_CONFIG=str(top))

    refused_push = ended(run("push", reference), 1)
    check(refused_push.out == "" and refused_push.err.splitlines()[-1].startswith("error: "), refused_push)
    with tree() as top:
        wrong = ended(run("push", reference, env=settings(top, "hunter2")), 1)
        check(wrong.out == "" and "hunter2" not in wrong.err, wrong)
        pushed = ended(run("push", reference, env=settings(top, "test")), 0)
        check(PINNED.fullmatch(pushed.out), pushed)
        ended(run("pull", reference), 1)
        ended(run("pull", reference, env=settings(top, "test")), 0)
        with tree(Dockerfile=f"FROM {base()}\nLABEL closed=1\n") as context:
            ended(run("build", "-q", "--push", "-t", reference, str(context), env=settings(top, "test")), 0)
            ended(run("build", "-q", "--push", "-t", reference, str(context)), 1)


def case_an_output_is_pushed():
    if is_podman():
        return "no BuildKit"
    registry, reference = registry_and("output")
    if not registry:
        return "DOCKLINE_TEST_REGISTRY is not set"
    repository = reference.removesuffix(":v1")
    closed = os.environ.get("DOCKLINE_TEST_CLOSED_REGISTRY", "")
    with tree(Dockerfile=f"FROM {base()}\nLABEL output=1\n") as top, tree() as outside:
        for words, tag in ((["-o", f"type=image,name={repository}:1,push=true"], "1"),
                           (["-t", f"{repository}:2", "-o", "type=image,push=true"], "2"),
                           (["-o", f"type=registry,name={repository}:3"], "3"),
                           (["-t", f"{repository}:4", "-o", "type=registry"], "4")):
            made.append(f"{repository}:{tag}")
            about = outside / "about"
            ended(run("build", *words, "--metadata-file", str(about), str(top)), 0)
            digest = json.loads(about.read_text())["containerimage.digest"]
            ended(run("rmi", f"{repository}:{tag}"), 0)
            pulled = ended(run("pull", f"{repository}:{tag}"), 0)
            check(pulled.out.strip() == f"{repository}@{digest}", (pulled, digest))
        made.append(f"{repository}:5")
        ended(run("build", "-o", f"type=image,name={repository}:5,push=false", str(top)), 0)
        ended(run("pull", f"{repository}:5"), 1)
        loaded = ended(run("build", "--load", "-o", f"type=docker,name={repository}:5", str(top)), 0)
        check(inspect(f"{repository}:5")["Id"] == loaded.out.strip(), loaded)
        refused(2, ["--tag"], "build", "-o", "type=registry", str(top))
        refused(2, ["by digest"], "build", "-o", f"type=image,name={repository}:1,push=true,push-by-digest=true", str(top))
        refused(2, ["--push"], "build", "--push", "-t", f"{repository}:6", "-o", str(outside / "out"), str(top))
        refused(2, ["--load"], "build", "--load", "-t", f"{repository}:6", "-o", str(outside / "out"), str(top))
        if not closed:
            return "DOCKLINE_TEST_CLOSED_REGISTRY is not set"
        private = reference.replace(registry, closed)
        made.append(private)
        (outside / "config.json").write_text(json.dumps({"auths": {closed: {"auth": base64.b64encode(b"test:test").decode()}}}))
        ended(run("build", "-t", private, "-o", "type=registry", str(top), env=environment(DOCKER_CONFIG=str(outside))), 0)
        check(ended(run("build", "-t", private, "-o", "type=registry", str(top)), 1).out == "", "without credentials")


def case_push_where_nobody_listens():
    reference = "127.0.0.1:1/" + name("nowhere")
    made.append(reference)
    ended(run("tag", base(), reference), 0)
    result = ended(run("push", reference), 1)
    check(result.out == "" and result.err.splitlines()[-1].startswith("error: "), result)


def config_digest(tag):
    """The digest of an image's configuration, from the image itself."""
    with tarfile.open(fileobj=io.BytesIO(ask("GET", f"/images/{tag}/get")[2])) as tar:
        path = json.load(tar.extractfile("manifest.json"))[0]["Config"]
        return "sha256:" + hashlib.sha256(tar.extractfile(path).read()).hexdigest()


def check_digests(tag, about, classic=False):
    """What --metadata-file has of an image that was not pushed: in containerd's store the id is the manifest's digest, in
    the older one, that of the configuration."""
    config, manifest = about.get("containerimage.config.digest"), about.get("containerimage.digest")
    check({config, manifest} - {None, config_digest(tag)} <= {inspect(tag)["Id"]} and manifest != config_digest(tag), about)
    check(config == config_digest(tag) or classic and config is None and manifest, about)


def case_build_and_push():
    registry, reference = registry_and("built")
    with tree(Dockerfile=f"FROM {base()}\nLABEL pushed=1\n") as top:
        refused(2, ["--tag"], "build", "--push", str(top))
        metadata, tag = top.parent / f"{PREFIX}metadata.json", name("metadata")
        try:
            ended(run("build", "-q", "-t", tag, "--metadata-file", str(metadata), str(top)), 0)
            about = json.loads(metadata.read_text())
            check(about["image.name"] == tag, about)
            check_digests(tag, about)
            ended(run("build", "-q", "--builder", "classic", "-t", tag, "--metadata-file", str(metadata), str(top)), 0)
            check_digests(tag, json.loads(metadata.read_text()), classic=True)
            if not registry:
                return "DOCKLINE_TEST_REGISTRY is not set"
            result = ended(run("build", "-t", reference, "--push", "--metadata-file", str(metadata), str(top)), 0)
            about = json.loads(metadata.read_text())
            check(result.out.strip() == inspect(reference)["Id"] and about["image.name"] == reference, about)
            check(about["containerimage.config.digest"] == config_digest(reference), about)
            ended(run("rmi", reference), 0)
            pinned = f"{reference.removesuffix(':v1')}@{about['containerimage.digest']}"
            made.append(pinned)
            ended(run("pull", pinned), 0)
            # podman pushes another configuration than it keeps, by a space.
            check(is_podman() or config_digest(inspect(pinned)["Id"]) == about["containerimage.config.digest"], about)
            unreachable = f"127.0.0.1:1/{name('unpushed')}"
            made.append(unreachable)
            failed = ended(run("build", "-t", unreachable, "--push", "--metadata-file", str(metadata), str(top)), 1)
            check(failed.out == "" and not metadata.exists(), failed)
        finally:
            metadata.unlink(missing_ok=True)
