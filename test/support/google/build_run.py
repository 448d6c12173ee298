"""The life of one build: queued, its source fetched, its steps run, its images pushed, its log written all the while."""

import re
import shutil
import threading
import time

from build_rules import substituted, with_substitutions
from runner import Ended, PushRefused
from store import moment

FINAL = {"SUCCESS", "FAILURE", "INTERNAL_ERROR", "TIMEOUT", "CANCELLED", "EXPIRED"}


class StepFailed(Exception):
    pass


class Log:
    """The log object, which grows at least each `log_seconds`, or a settable number of bytes at a time."""

    def __init__(self, store, bucket, name, settings):
        self._store, self._bucket, self._name, self._settings = store, bucket, name, settings
        self._lock, self._held, self._written, self.lost = threading.Lock(), bytearray(), 0.0, False

    def write(self, text):
        with self._lock:
            self._held += text if isinstance(text, bytes) else text.encode()
            if time.monotonic() - self._written >= self._settings["log_seconds"]:
                self._flush()

    def flush(self):
        with self._lock:
            self._flush()

    def _flush(self):
        step = self._settings["log_bytes"] or len(self._held)
        while self._held and self._bucket:
            self.lost |= not self._store.append(self._bucket, self._name, bytes(self._held[:step]))
            del self._held[:step]
        self._written = time.monotonic()


class Prefixed:
    """A step's output, each line with the step's name before it."""

    def __init__(self, log, prefix):
        self._log, self._prefix, self._start = log, prefix, True

    def __call__(self, data):
        shown = bytearray()
        for line in data.splitlines(keepends=True) if self._prefix else [data]:
            shown += (self._prefix if self._start else b"") + line
            self._start = line.endswith((b"\n", b"\r"))
        self._log.write(bytes(shown))

    def end(self):
        if not self._start and self._prefix:
            self._log.write("\n")


class Run:
    """A build that somebody asked for. `words` is its resource."""

    def __init__(self, words, location, google, store, engine, slots, script):
        self.words, self.location = words, location
        self._settings, self._sleep, self._store, self._engine, self._slots = google.settings, google.ended, store, engine, slots
        self._script, self._lock, self._cancelled = script or {}, threading.RLock(), threading.Event()
        bucket, _, folder = words["logsBucket"].removeprefix("gs://").partition("/")
        wanted = words["options"].get("logging") not in ("NONE", "CLOUD_LOGGING_ONLY", "STACKDRIVER_ONLY")
        name = f"{folder.rstrip('/')}/" if folder else ""
        self.log = Log(store, bucket if wanted else "", f"{name}log-{words['id']}.txt", google.settings)
        self._deadline = None
        self._started = time.monotonic()
        threading.Thread(target=self._live, daemon=True).start()

    def told(self):
        with self._lock:
            return {key: (dict(value) if isinstance(value, dict) else value) for key, value in self.words.items()}

    @property
    def ended(self):
        return self.words["status"] in FINAL

    def cancel(self):
        """False when it has ended already."""
        with self._lock:
            if self.ended:
                return False
            self._cancelled.set()
            # Google answers with the state CANCELLED at once, too.
            self.words["status"] = "CANCELLED"
            return True

    def _status(self, status, **more):
        with self._lock:
            if self._cancelled.is_set() and status in ("QUEUED", "WORKING"):
                return
            self.words |= more | {"status": status}

    def _ending(self):
        if self._cancelled.is_set():
            raise Ended("CANCELLED")
        if self._deadline and time.monotonic() > self._deadline:
            raise Ended("TIMEOUT")
        if self._sleep.is_set():
            raise Ended("CANCELLED")

    def _pause(self, seconds_):
        end = time.monotonic() + seconds_
        while (left := end - time.monotonic()) > 0:
            self._ending()
            self._cancelled.wait(min(left, 0.05))

    def _live(self):
        try:
            self._wait_for_a_place()
        except Ended as end:
            self._close(str(end))
            return
        try:
            self._work()
        finally:
            self._slots.release()

    def _wait_for_a_place(self):
        """PENDING, then QUEUED until there is a place, for as long as queueTtl allows."""
        until = self._started + float(self.words["queueTtl"][:-1])
        self._pause(self._script.get("pending_seconds", self._settings["pending_seconds"]))
        self._status("QUEUED")
        queued = time.monotonic() + self._script.get("queued_seconds", self._settings["queued_seconds"])
        while time.monotonic() < queued or not self._slots.acquire(blocking=False):
            self._ending()
            if time.monotonic() > until:
                raise Ended("EXPIRED")
            self._cancelled.wait(0.02)

    def _work(self):
        self._status("WORKING", startTime=moment())
        self._deadline = time.monotonic() + float(self.words["timeout"][:-1])
        log = self.log
        log.write(f'starting build "{self.words["id"]}"\n\n')
        status, more = "SUCCESS", {}
        try:
            if "log" in self._script:
                status, more = self._play()
            else:
                self._build()
        except Ended as end:
            status = str(end)
            log.write(f"{status}\nERROR: context {'canceled' if status == 'CANCELLED' else 'deadline exceeded'}\n")
        except StepFailed as problem:
            kind, detail = problem.args
            status = "FAILURE"
            more = {"failureInfo": {"type": kind, "detail": detail}, "statusDetail": problem.args[1]}
            log.write(f"ERROR\nERROR: {detail.removeprefix('Build step failure: ')}\n")
        except Exception as problem:  # whatever is wrong here is not the build's fault
            status, more = "INTERNAL_ERROR", {"statusDetail": repr(problem)}
        if status == "SUCCESS" and "log" not in self._script:
            log.write("DONE\n")
        self._close(status, **more)

    def _close(self, status, **more):
        """All of the log is there before the state is final, as Google promises."""
        self.log.flush()
        if self.log.lost:
            more.setdefault("warnings", [{"text": "The log could not be written to the logs bucket.", "priority": "WARNING"}])
        with self._lock:
            if self._cancelled.is_set():
                status = "CANCELLED"
            self.words |= {"finishTime": moment(), **more, "status": status}

    # --- a build that a test tells beforehand

    def _play(self):
        """The log in pieces, each a text, base64 of bytes, or a pause; and what comes of it."""
        for piece in self._script["log"]:
            if isinstance(piece, (int, float)):
                self._pause(piece)
            else:
                self.log.write(piece)
                self.log.flush()
        told = {key: value for key, value in self._script.items()
                if key not in ("log", "status", "pending_seconds", "queued_seconds")}
        return self._script.get("status", "SUCCESS"), told

    # --- a build

    def _build(self):
        if self._engine is None:
            raise RuntimeError("this server was started without --docker")
        words = self.words
        folder = self._engine.folder / words["id"]
        before = self._engine.names()
        made = set()
        try:
            with self._timed("FETCHSOURCE"):
                self._fetch(folder)
            with self._timed("BUILD"):
                self._steps(folder / "workspace", made)
            with self._timed("PUSH"):
                self._push()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self._engine.remove((made & self._engine.names()) - before)

    def _timed(self, what):
        return Timed(self.words.setdefault("timing", {}), what)

    def _fetch(self, folder):
        source = self.words.get("source", {}).get("storageSource")
        self.log.write("FETCHSOURCE\n")
        if source is None:
            (folder / "workspace").mkdir(parents=True)
            return
        place = f"gs://{source['bucket']}/{source['object']}"
        self.log.write(f"Fetching storage object: {place}#{source.get('generation', '')}\n")
        with self._store.lock:
            bucket = self._store.buckets.get(source["bucket"])
            found = bucket.objects.get(source["object"]) if bucket else None
            pinned = source.get("generation", found and str(found.generation))
        if found is None or str(found.generation) != pinned:
            raise StepFailed("FETCH_SOURCE_FAILED", f"could not resolve source: googleapi: Error 404: No such object: {place[5:]}, "
                                                    "notFound")
        self.words["sourceProvenance"] = {"resolvedStorageSource": source | {"generation": pinned}}
        self.log.write(f"Copying {place}#{pinned}...\n/ [1 files][ {found.content.size} B]\n"
                       f"Operation completed over 1 objects/{found.content.size} B.\n")
        try:
            self._engine.unpack(found.content.path, folder / "workspace")
        except Exception as problem:
            raise StepFailed("FETCH_SOURCE_FAILED", f"failed to Fetch: failed to unpack source: {problem}") from None

    def _values(self):
        words = self.words
        return {"PROJECT_ID": words["projectId"], "PROJECT_NUMBER": self._store.number, "BUILD_ID": words["id"],
                "LOCATION": self.location} | words.get("substitutions", {})

    def _steps(self, workspace, made):
        self.log.write("BUILD\n")
        words, several = self.words, len(self.words["steps"]) > 1
        done = [dict(step) for step in words["steps"]]
        digests = []
        try:
            for position, step in enumerate(words["steps"]):
                name = f"Step #{position}" + (f' - "{step["id"]}"' if step.get("id") else "")
                if several:
                    self.log.write(f"Starting {name}\n")
                output = Prefixed(self.log, f"{name}: ".encode() if several else b"")
                output(f"Already have image (with digest): {step['name']}\n".encode())
                run = with_substitutions(step, self._values())
                run["env"] = [substituted(one, self._values()) for one in words["options"].get("env", [])] + run.get("env", [])
                made |= names_in(run)
                digests.append("")
                done[position]["status"] = "WORKING"
                status = self._step(run, workspace, output, done[position])
                output.end()
                if several:
                    self.log.write(f"Finished {name}\n")
                if status:
                    done[position] |= {"status": "FAILURE", "exitCode": status}
                    if step.get("allowFailure") or status in step.get("allowExitCodes", []):
                        continue
                    raise StepFailed("USER_BUILD_STEP", f'Build step failure: build step {position} "{step["name"]}" failed: step '
                                                        f"exited with non-zero status: {status}")
                done[position]["status"] = "SUCCESS"
        finally:
            for step in done:
                step.setdefault("status", "QUEUED")
            words["results"] = {"buildStepImages": digests}
            words["steps"] = done

    def _step(self, step, workspace, output, told):
        until = time.monotonic() + float(step["timeout"][:-1]) if "timeout" in step else None

        def ending():
            self._ending()
            if until and time.monotonic() > until:
                raise Ended("TIMEOUT")

        with Timed(told, "timing"):
            return self._engine.run(step, workspace, ending, output)

    def _push(self):
        pushed = []
        names = [substituted(name, self._values()) for name in self.words.get("images", [])]
        if not names:
            return
        self.log.write("PUSH\n")
        for name in names:
            self._ending()
            timing = {}
            self.log.write(f"Pushing {name}\n")
            try:
                with Timed(timing, "pushTiming"):
                    digest, size, layers = self._engine.push(name)
            except PushRefused as problem:
                words = f'failed to push because we ran out of retries: push of "{name}" failed: {problem}'
                raise StepFailed(problem.kind, words) from None
            self.log.write(f"The push refers to repository [{name.rpartition(':')[0]}]\n")
            for layer in layers:
                self.log.write(f"{layer['digest'][7:19]}: Preparing\n{layer['digest'][7:19]}: Pushed\n")
            tag = name.rpartition(":")[2] if ":" in name.rpartition("/")[2] else "latest"
            self.log.write(f"{tag}: digest: {digest} size: {size}\n")
            pushed.append({"name": name, "digest": digest} | timing)
        self.words["results"]["images"] = pushed


class Timed:
    def __init__(self, into, name):
        self._into, self._name = into, name

    def __enter__(self):
        self._into[self._name] = {"startTime": moment()}

    def __exit__(self, *_):
        self._into[self._name]["endTime"] = moment()


def names_in(step):
    """The images that a step leaves on the engine."""
    args = step.get("args", [])
    found = {word for option, word in zip(args, args[1:]) if option in ("-t", "--tag")}
    found |= {match for word in args for match in re.findall(r"docker pull (?:-q )?'?([^\s|&;']+)", word)}
    found |= {word for option, word in zip(args, args[1:]) if option == "pull"}
    return {name if ":" in name.rpartition("/")[2] else f"{name}:latest" for name in found}
