#!/usr/bin/env python3
"""That the tests' Cloud Build really builds: on the engine at DOCKLINE_TEST_DOCKER_HOST; exits with 77 where there is none, or
no docker command line.

    google_builds_test.py PROBE
"""

import io
import json
import os
import pathlib
import shutil
import sys
import tarfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support" / "google"))

from client import Google

HOST = os.environ.get("DOCKLINE_TEST_DOCKER_HOST", "")
PROBE = pathlib.Path(sys.argv.pop(1))
BUILDS = "/v1/projects/dockline-test/builds"
DOCKER = "gcr.io/cloud-builders/docker"


def packed(dockerfile):
    """A context, as a tar with gzip."""
    packed_bytes = io.BytesIO()
    with tarfile.open(fileobj=packed_bytes, mode="w:gz") as archive:
        archive.add(PROBE, "probe")
        about = tarfile.TarInfo("Dockerfile")
        about.size = len(dockerfile)
        archive.addfile(about, io.BytesIO(dockerfile.encode()))
    return packed_bytes.getvalue()


class Builds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.google = Google("--bucket", "box", "--docker", HOST)
        cls.google.log_in()
        cls.mark = f"{os.getpid()}-{time.time_ns() % 10**9}"

    @classmethod
    def tearDownClass(cls):
        status, left = cls.google.stop()
        assert status == 0 and left == [], (status, left)

    def json(self, *words):
        status, _, answer = self.google.ask(*words)
        self.assertEqual(status, 200, answer)
        return json.loads(answer)

    def start(self, dockerfile, **more):
        """A build of this context, its image's name, and its id."""
        image = f"gcr.io/dockline-test/app-{self.mark}:1"
        source = self.json("POST", f"/upload/storage/v1/b/box/o?uploadType=media&name=source-{self.mark}.tgz", packed(dockerfile))
        pinned = {"bucket": "box", "object": source["name"], "generation": source["generation"]}
        build = {"source": {"storageSource": pinned}, "logsBucket": "gs://box", "images": [image],
                 "steps": [{"name": DOCKER, "args": ["build", "-t", image, "."]}]} | more
        return image, self.json("POST", BUILDS, build)["metadata"]["build"]["id"]

    def ended(self, key):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            build = self.json("GET", f"{BUILDS}/{key}")
            if build["status"] not in ("PENDING", "QUEUED", "WORKING"):
                return build, self.log(key)
            time.sleep(0.05)
        self.fail("it does not end")

    def log(self, key):
        return self.google.ask("GET", f"/box/log-{key}.txt")[2].decode()

    def comes_to_log(self, key, words):
        end = time.monotonic() + 60
        while words not in self.log(key):
            self.assertLess(time.monotonic(), end, self.log(key))
            time.sleep(0.02)

    def test_an_image_and_its_cache(self):
        dockerfile = 'FROM scratch\nARG A\nCOPY probe /probe\nRUN ["/probe", "lines", "0", "3", "' + self.mark + '"]\nLABEL a=$A\n'
        cache = f"gcr.io/dockline-test/app-{self.mark}:1"
        steps = [{"name": DOCKER, "entrypoint": "bash", "args": ["-c", f"docker pull {cache} || exit 0"]},
                 {"name": DOCKER, "id": "build", "env": ["DOCKER_BUILDKIT=1"],
                  "args": ["build", "-t", cache, "--cache-from", cache, "--build-arg", "A=$$x", "--build-arg",
                           "BUILDKIT_INLINE_CACHE=1", "."]}]
        image, key = self.start(dockerfile, steps=steps)
        build, log = self.ended(key)
        self.assertEqual(build["status"], "SUCCESS", log)
        self.assertIn("manifest unknown", log)
        self.assertIn('Step #1 - "build": ', log)
        self.assertIn("line 2", log)
        self.assertTrue(log.endswith("DONE\n"), log)
        digest = build["results"]["images"][0]["digest"]
        answer = self.google.ask("GET", f"http://{self.google.told['registry']}/v2/dockline-test/app-{self.mark}/manifests/1")
        self.assertEqual(answer[1]["Docker-Content-Digest"], digest)
        config = json.loads(answer[2])["config"]["digest"]
        blob = self.google.ask("GET", f"http://{self.google.told['registry']}/v2/dockline-test/app-{self.mark}/blobs/{config}")
        self.assertEqual(json.loads(blob[2])["config"]["Labels"], {"a": "$x"})
        # What was pushed can be pulled.
        _, key = self.start(dockerfile, steps=steps)
        build, log = self.ended(key)
        self.assertEqual(build["status"], "SUCCESS", log)
        self.assertIn(f"Digest: {digest}", log)

    def test_a_failed_step(self):
        _, key = self.start('FROM scratch\nCOPY probe /probe\nRUN ["/probe", "lines", "7", "20"]\n')
        build, log = self.ended(key)
        self.assertEqual((build["status"], build["failureInfo"]["type"]), ("FAILURE", "USER_BUILD_STEP"))
        # The classic builder's command line passes the number on, BuildKit's has it in its words.
        self.assertRegex(build["failureInfo"]["detail"] + log, "(non-zero status|exit code): 7")
        self.assertIn("line 20\n", log)

    def test_cancelled(self):
        _, key = self.start('FROM scratch\nCOPY probe /probe\nRUN ["/probe", "sleep", "60"]\n')
        self.comes_to_log(key, "RUN")
        began = time.monotonic()
        self.assertEqual(self.json("POST", f"{BUILDS}/{key}:cancel", {})["status"], "CANCELLED")
        time.sleep(0.5)
        self.comes_to_log(key, "context canceled")
        self.assertLess(time.monotonic() - began, 20)

    def test_timed_out(self):
        _, key = self.start('FROM scratch\nCOPY probe /probe\nRUN ["/probe", "sleep", "60"]\n', timeout="1s")
        build, log = self.ended(key)
        self.assertEqual(build["status"], "TIMEOUT", log)

    def test_a_push_that_is_refused(self):
        self.google.control("settings", {"push_denied": self.mark})
        try:
            _, key = self.start("FROM scratch\nCOPY probe /\n")
            build, log = self.ended(key)
        finally:
            self.google.control("settings", {"push_denied": None})
        self.assertEqual((build["status"], build["failureInfo"]["type"]), ("FAILURE", "PUSH_NOT_AUTHORIZED"), log)

    def test_a_source_that_is_no_longer_there(self):
        source = {"storageSource": {"bucket": "box", "object": f"source-{self.mark}.tgz", "generation": "1"}}
        _, key = self.start("FROM scratch\n", source=source)
        build, _ = self.ended(key)
        self.assertEqual(build["failureInfo"]["type"], "FETCH_SOURCE_FAILED")


if __name__ == "__main__":
    if not HOST.startswith("unix://") or not pathlib.Path(HOST.removeprefix("unix://")).exists() or not shutil.which("docker"):
        print("skipped: DOCKLINE_TEST_DOCKER_HOST is not set (unix:///path of a daemon), or there is no docker")
        sys.exit(77)
    unittest.main()
