"""Builds with Cloud Build: the tests' own, which builds on the engine that the other cases use."""

import contextlib
import functools
import io
import json
import pathlib
import re
import shutil
import signal
import sys
import tarfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support" / "google"))

from client import Google
from tool_support import (HOST, PREFIX, PROBE, base, check, comes_to, ended, environment, is_podman, refused, run, start, tree)

DIGEST = re.compile(r"sha256:[0-9a-f]{64}\n")


@functools.cache
def unable():
    """Why none of this can be tried here, or nothing."""
    if is_podman() or not shutil.which("docker"):
        return "no docker to build with"
    with tree(Dockerfile="FROM scratch\n") as top:
        left_out = run("build", "--image-build-bucket", "b", "-t", "x", str(top), env=environment(HOME="/nonexistent"))
    return "built without Google Cloud" if "without Google Cloud" in left_out.err else None


@contextlib.contextmanager
def google(*options):
    with Google("--docker", HOST, *options) as server:
        server.log_in()
        yield server


def variables(server, **more):
    """What a user of this Google has in the environment; None takes a variable out."""
    here = {"GOOGLE_APPLICATION_CREDENTIALS": server.told["credentials"]["service_account"], "HOME": "/nonexistent",
            "GOOGLE_CLOUD_PROJECT": server.told["project"]}
    for service in ("STORAGE", "CLOUDBUILD", "CLOUDRESOURCEMANAGER"):
        here[f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{service}"] = server.told["base"] + "/"
    if "ca" in server.told:
        here["SSL_CERT_FILE"] = server.told["ca"]
    return environment(**{key: value for key, value in (here | more).items() if value is not None})


def image(what):
    return f"gcr.io/dockline-test/{PREFIX}{what}:1"


def content(server):
    return sum(entry.get("content", 0) for entry in server.control("log"))


def in_cloud(server, tag, top, *more, **how):
    return run("build", "--image-build-bucket", "box-of-test", "-t", tag, *more, str(top), env=variables(server, **how))


def objects(server):
    return [name for name in server.control("buckets/box-of-test/objects") if not name.startswith("log-")]


def context_tree(**more):
    # A step that no earlier run has left in BuildKit's cache.
    dockerfile = f'FROM scratch\nCOPY probe file /\nRUN ["/probe", "lines", "0", "3", "{PREFIX}"]\nENTRYPOINT ["/probe"]\n'
    return tree(**({"Dockerfile": dockerfile, "file": "x"} | more))


def case_a_build_in_the_cloud():
    if reason := unable():
        return reason
    with google("--tls") as server, context_tree(_dockerignore="secret*\n", secret_key="no one's business") as top:
        shutil.copy(PROBE, top / "probe")
        tag, iidfile, metadata = image("app"), top.parent / f"{PREFIX}id", top.parent / f"{PREFIX}about"
        try:
            result = ended(in_cloud(server, tag, top, "--region", "europe-west1", "--iidfile", str(iidfile), "--metadata-file", str(metadata),
                                    "--label", "a=$HOME", "--build-tag", "from-a-test"), 0)
            check(DIGEST.fullmatch(result.out), result)
            check(iidfile.read_text() == result.out.strip(), iidfile.read_text())
            check(json.loads(metadata.read_text())["containerimage.digest"] == result.out.strip(), metadata.read_text())
        finally:
            iidfile.unlink(missing_ok=True)
            metadata.unlink(missing_ok=True)
        check("RUN" in result.err and "line 2" in result.err, result)
        # The registry has it by that digest, with the label as it was written.
        repository = tag.removeprefix("gcr.io/").removesuffix(":1")
        where = f"http://{server.told['registry']}/v2/{repository}"
        status, headers, manifest = server.ask("GET", f"{where}/manifests/1")
        check(status == 200 and headers["Docker-Content-Digest"] == result.out.strip(), headers)
        config = json.loads(server.ask("GET", f"{where}/blobs/{json.loads(manifest)['config']['digest']}")[2])
        check(config["config"]["Labels"]["a"] == "$HOME", config)
        # What was sent is what .dockerignore leaves, under a name that says what it is.
        name, = objects(server)
        check(re.fullmatch(r"context/sha256-[0-9a-f]{64}\.tar\.gz", name), name)
        _, _, packed = server.ask("GET", f"/box-of-test/{name}")
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            check(set(archive.getnames()) == {".dockerignore", "Dockerfile", "file", "probe"}, archive.getnames())
        build, = server.control("builds")
        check("from-a-test" in build["tags"] and build["options"]["machineType"] == "E2_HIGHCPU_8", build)
        check("europe-west1" in build["name"] and build["source"]["storageSource"]["generation"], build)

        # Once more, with other times, and nothing is sent.
        (top / "file").write_text("x")
        sent = content(server)
        again = ended(in_cloud(server, tag, top, "-q"), 0)
        check(again.err == "" and DIGEST.fullmatch(again.out), again)
        check(content(server) == sent, f"{content(server) - sent} bytes were sent")
        # No secret is in anything that was said.
        secrets = server.key_file()["private_key"].splitlines()[1], "eyJ", "ya29"
        check(not any(secret in result.err for secret in secrets), result)
    return None


def case_a_failed_build_in_the_cloud():
    if reason := unable():
        return reason
    dockerfile = 'FROM scratch\nCOPY probe /\nRUN ["/probe", "lines", "7", "20"]\n'
    with google() as server, tree(Dockerfile=dockerfile) as top:
        shutil.copy(PROBE, top / "probe")
        result = ended(in_cloud(server, image("failed"), top), 1)
        last = result.err.splitlines()[-1]
        check(result.out == "" and last.startswith("error: step ") and "/probe" in last and "7" in last, result)
        check("line 20" in result.err, result)
        quiet = ended(in_cloud(server, image("failed"), top, "-q"), 1)
        check(quiet.out == "" and "line 20\n" in quiet.err, quiet)
        events = ended(in_cloud(server, image("failed"), top, "--progress", "json"), 1).err.splitlines()[:-1]
        kinds = {json.loads(line)["event"] for line in events}
        check({"step_started", "step_log", "step_failed", "context_progress"} <= kinds, kinds)
    return None


def case_interrupted_in_the_cloud():
    if reason := unable():
        return reason
    mark = f"{PREFIX}cloud"
    dockerfile = f'FROM {base()}\nRUN ["/probe", "sleep", "60", "{mark}"]\n'
    with google() as server, tree(Dockerfile=dockerfile) as top:
        process = start("build", "--image-build-bucket", "box-of-test", "-t", image("interrupted"), str(top),
                        variables=variables(server))
        try:
            check(comes_to(1, mark, 30), "the step does not run")
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
        check(process.returncode == 130 and out == "", (process.returncode, out, err))
        check(time.monotonic() - began < 12, "too slow")
        check([build["status"] for build in server.control("builds")] == ["CANCELLED"], server.control("builds"))
        check(comes_to(0, mark, 20), "the step goes on")
    return None


def case_what_the_cloud_refuses():
    if reason := unable():
        return reason
    with google("--bucket", "box-of-test") as server, tree(Dockerfile="FROM scratch\nCOPY . /\n") as top:
        server.control("buckets", {"name": "taken-by-others"})
        files = server.told["credentials"]
        line = ["build", "--image-build-bucket", "box-of-test", "-t", image("refused"), str(top)]

        def says(status, words, *given, **how):
            result = ended(run(*given, env=variables(server, **how)), status)
            last = result.err.splitlines()[-1]
            check(result.out == "" and last.startswith("error: "), result)
            check(all(word in result.err for word in words), f"expected {words}: {result}")

        says(2, ["--tag"], "build", "--image-build-bucket", "box-of-test", str(top))
        says(2, ["--memory", "--machine-type"], *line[:-1], "--memory", "1g", str(top))
        says(2, ["--region"], "build", "--region", "europe-west1", str(top))
        says(2, ["Goog_x"], "build", "--image-build-bucket", "Goog_x", "-t", image("refused"), str(top))
        pool = "projects/dockline-test/locations/us-west2/workerPools/own"
        says(2, [pool, "europe-west1"], *line[:-1], "--worker-pool", pool, "--region", "europe-west1", str(top))
        says(2, ["--machine-type", "--worker-pool"], *line[:-1], "--worker-pool", pool, "--machine-type", "E2_MEDIUM", str(top))
        says(2, ["private pool \"own\""], *line[:-1], "--worker-pool", "own", str(top))
        says(2, ["--build-timeout", "soon"], *line[:-1], "--build-timeout", "soon", str(top))
        says(2, ["PATH"], *line[:-1], "-")
        says(2, ["something_new"], *line, GOOGLE_APPLICATION_CREDENTIALS=files["unknown_type"])
        says(2, ["/nonexistent/key.json"], *line, GOOGLE_APPLICATION_CREDENTIALS="/nonexistent/key.json")
        says(2, ["project"], *line, GOOGLE_CLOUD_PROJECT=None, GOOGLE_APPLICATION_CREDENTIALS=files["workforce_user"])
        says(3, ["no project is named", "127.0.0.1:1"], *line, GOOGLE_CLOUD_PROJECT=None,
             GOOGLE_APPLICATION_CREDENTIALS=files["external_file"], CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER="http://127.0.0.1:1/")
        says(3, ["gcloud auth application-default login"], *line, GOOGLE_APPLICATION_CREDENTIALS=files["authorized_user_revoked"])
        says(3, ["credentials"], *line, GOOGLE_APPLICATION_CREDENTIALS=None, NO_GCE_CHECK="true")
        says(3, ["127.0.0.1:1"], *line, CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE="http://127.0.0.1:1/")
        says(1, ["taken-by-others"], "build", "--image-build-bucket", "taken-by-others", "-t", image("refused"), str(top))
        server.control("deny", [{"permission": "storage.objects.create"}])
        says(1, ["storage.objects.create"], *line)
        server.control("deny", [])
        says(1, ["ENORMOUS"], *line[:-1], "--machine-type", "ENORMOUS", str(top))
        server.control("settings", {"build_denied": "The caller does not have permission"})
        says(1, ["The caller does not have permission"], *line)
        check(server.control("builds") == [], server.control("builds"))
    return None


def case_a_wait_that_is_over():
    if reason := unable():
        return reason
    with google() as server, tree(Dockerfile="FROM scratch\n") as top:
        for then, status, words in (("cancel", "CANCELLED", "it is cancelled"), ("leave", "WORKING", "it goes on")):
            server.control("scripts", [{"log": ["BUILD\n", 20]}])
            result = ended(in_cloud(server, image("late"), top, "--wait-timeout", "2s", "--on-wait-timeout", then,
                                    "--bucket-location", "europe-west4", "--substitution", "_WHO=me=$x"), 3)
            last = result.err.splitlines()[-1]
            check(result.out == "" and words in last and "console.cloud.google.com" in last, result)
            build = server.control("builds")[-1]
            check(build["status"] == status and build["substitutions"] == {"_WHO": "me=$x"}, build)
        check(server.control("buckets/box-of-test")["location"] == "EUROPE-WEST4", server.control("buckets/box-of-test"))
        refused(2, ["--substitution", "_NAME=VALUE"], "build", "--image-build-bucket", "box-of-test", "-t", image("late"),
                "--substitution", "_X", str(top), env=variables(server))
        refused(2, ["--load", "pull it"], "build", "--image-build-bucket", "box-of-test", "-t", image("late"), "--load", str(top),
                env=variables(server))
        refused(2, ["substitution \"x\""], "build", "--image-build-bucket", "box-of-test", "-t", image("late"),
                "--substitution", "x=y", str(top), env=variables(server))
    return None


def case_a_google_that_is_silent():
    if reason := unable():
        return reason
    with google("--bucket", "box-of-test") as server, tree(Dockerfile="FROM scratch\n") as top:
        server.control("faults", {"path": "^/(storage|upload)/", "action": {"stall": 60}})
        began = time.monotonic()
        result = refused(3, ["sign of life"], "--timeout", "1", "build", "--image-build-bucket", "box-of-test", "-t", image("silent"),
                         str(top), env=variables(server))
        check(time.monotonic() - began < 10, (time.monotonic() - began, result))
    return None


def case_what_doctor_says_of_a_bucket():
    if reason := unable():
        return reason
    with google("--bucket", "box-of-test") as server:
        server.control("buckets", {"name": "of-others"})

        def told(bucket, *more, **how):
            line = "doctor", "--format", "json", "--image-build-bucket", bucket, *more
            found = json.loads(ended(run(*line, env=variables(server, **how)), 0).out)
            return found["google"], " ".join(one["what"] for one in found["problems"] if one["subject"] == "google")

        there, wrong = told("box-of-test")
        check(there["bucket"] == "gs://box-of-test" and there["bucket_exists"] and there["bucket_location"] == "US", there)
        check(there["bucket_project"] == "dockline-test" and there["bucket_missing_permissions"] == [] and not wrong, (there, wrong))
        there, wrong = told("gs://not-there/")
        check(there["bucket_exists"] is False and not wrong, (there, wrong))
        there, wrong = told("of-others")
        check("of-others is not one of the project dockline-test" in wrong and "storage.objects.create" in wrong, (there, wrong))
        server.control("deny", [{"permission": "storage.(buckets.get|objects.get)"}])
        there, wrong = told("box-of-test")
        check(there["bucket_location"] is None and there["bucket_missing_permissions"] == ["storage.objects.get"], there)
        check("storage.objects.get is missing on gs://box-of-test" in wrong, wrong)
        _, wrong = told("box-of-test", GOOGLE_APPLICATION_CREDENTIALS=None, NO_GCE_CHECK="true")
        check("no credentials to look at gs://box-of-test" in wrong, wrong)
        _, wrong = told("box-of-test", CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE="http://127.0.0.1:1/")
        check("gs://box-of-test cannot be looked at" in wrong and "127.0.0.1:1" in wrong, wrong)
    return None


def case_a_certificate_that_nobody_knows():
    if reason := unable():
        return reason
    with google("--tls") as server, tree(Dockerfile="FROM scratch\n") as top:
        server.control("log", method="DELETE")
        result = refused(3, ["certificate"], "build", "--image-build-bucket", "box-of-test", "-t", image("tls"), str(top),
                         env=variables(server, SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt"))
        check(server.control("log") == [], result)
    return None
