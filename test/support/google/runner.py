"""An engine that runs the steps of builds, by the docker command line."""

import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile

BUILDER = re.compile(r"(gcr\.io/cloud-builders/docker|docker)(:.*)?")
HERE = pathlib.Path(__file__).resolve().parent


class Ended(Exception):
    """The build has to end: CANCELLED or TIMEOUT."""


class PushRefused(Exception):
    def __init__(self, kind, words):
        super().__init__(words)
        self.kind = kind


class Engine:
    def __init__(self, host, folder, registry):
        self.host, self.folder, self.registry = host, folder, registry
        self._lock, self._running, self._stopped = threading.Lock(), set(), False
        for part in ("bin", "config", "home"):
            (folder / part).mkdir(parents=True)
        self._docker, self._buildkit = self._choose()
        shim = folder / "bin" / "docker"
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} -B {HERE}/docker_step.py "$@"\n')
        shim.chmod(0o755)
        self.control = None  # where this server is, once it is known

    @staticmethod
    def _choose():
        """A docker command line, and whether BuildKit builds work with it: newer ones need the program buildx for that."""
        found = [path for path in dict.fromkeys((shutil.which("docker"), "/usr/bin/docker", "/usr/local/bin/docker"))
                 if path and os.access(path, os.X_OK)]
        if not found:
            raise SystemExit("google: --docker needs the command line docker (Debian: docker.io)")
        for path in found:
            version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
            if int(re.search(r"version (\d+)", version)[1]) < 23 or \
                    subprocess.run([path, "buildx", "version"], capture_output=True, check=False).returncode == 0:
                return path, True
        return found[0], False

    def environment(self, step):
        more = dict(one.split("=", 1) for one in step.get("env", []))
        if not self._buildkit and more.get("DOCKER_BUILDKIT") == "1":
            more["DOCKER_BUILDKIT"] = "0"
        return {"PATH": f"{self.folder}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": f"{self.folder}/home",
                "DOCKER_HOST": self.host, "DOCKER_CONFIG": f"{self.folder}/config", "GOOGLE_STEP_DOCKER": self._docker,
                "GOOGLE_STEP_CONTROL": self.control, "LANG": "C.UTF-8", **more}

    def docker(self, *words):
        return subprocess.run([self._docker, *words], env=self.environment({}), capture_output=True, check=False)

    def names(self):
        return set(self.docker("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.decode().split())

    def unpack(self, content, workspace):
        """The source, a zip or a tar that may be compressed, as root unpacks it."""
        workspace.mkdir(parents=True)
        if zipfile.is_zipfile(content):
            with zipfile.ZipFile(content) as archive:
                archive.extractall(workspace)
            return
        with tarfile.open(content) as archive:
            safe = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}
            archive.extractall(workspace, numeric_owner=True, **safe)

    def run(self, step, workspace, ending, output):
        """The exit status of a step; `output` gets its bytes, `ending` raises when it has to end."""
        folder = workspace / step.get("dir", "")
        if "script" in step:
            script = workspace.parent / f"script-{time.time_ns():x}"
            text = step["script"]
            script.write_text(text if text.startswith("#!") else "#!/bin/bash\n" + text)
            script.chmod(0o755)
            line = [str(script)]
        else:
            line = [step.get("entrypoint", "docker"), *step.get("args", [])]
        if not BUILDER.fullmatch(step["name"]):
            line = [self._docker, "run", "--rm", "--volume", f"{workspace}:/workspace", "--workdir",
                    "/workspace/" + step.get("dir", ""),
                    *(["--entrypoint", step["entrypoint"]] if "entrypoint" in step else []),
                    *(word for one in step.get("env", []) for word in ("--env", one)), step["name"], *step.get("args", [])]
        try:
            process = subprocess.Popen(line, cwd=folder, env=self.environment(step), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as problem:
            output(f"{line[0]}: {problem.strerror}\n".encode())
            return 127
        with self._lock:
            self._running.add(process)
            if self._stopped:
                os.killpg(process.pid, signal.SIGKILL)
        try:
            while True:
                ending()
                if select.select([process.stdout], [], [], 0.05)[0]:
                    data = os.read(process.stdout.fileno(), 1 << 16)
                    if not data:
                        return process.wait()
                    output(data)
        finally:
            if process.poll() is None:
                self._end(process)
            process.stdout.close()
            with self._lock:
                self._running.discard(process)

    @staticmethod
    def _end(process):
        """The whole session of the step, first kindly: a docker that is interrupted lets its daemon know."""
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def push(self, name):
        """Digest, size of the manifest, and layers of what was pushed."""
        denied = self.registry.settings["push_denied"]
        if denied and re.search(denied, name):
            raise PushRefused("PUSH_NOT_AUTHORIZED", f'denied: Permission "artifactregistry.repositories.uploadArtifacts" denied on '
                                                     f'resource (or it may not exist)')
        archive = self.folder / f"image-{time.time_ns():x}.tar"
        done = self.docker("save", "--output", str(archive), name)
        if done.returncode:
            raise PushRefused("PUSH_IMAGE_NOT_FOUND", f"An image does not exist locally with the tag: {name}")
        return self.registry.push(name, archive)

    def remove(self, names):
        if names:
            self.docker("rmi", "--force", *names)

    def stop(self):
        """Ends what runs."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
