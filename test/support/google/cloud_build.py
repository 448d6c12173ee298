"""cloudbuild.googleapis.com, version 1: builds, their creation, their cancelling, and long-running operations."""

import base64
import json
import re
import threading
import uuid

from build_rules import check
from build_run import Run
from messages import Refusal, as_json, rpc_error
from server import control_json
from store import moment

REGION = re.compile(r"global|[a-z]+-[a-z]+\d+")
TERM = re.compile(r"""(tags|status|build_id|id)\s*=\s*(?:"([^"]*)"|'([^']*)'|([\w.:-]+))""")


class CloudBuild:
    def __init__(self, google, accounts, store, engine, concurrency):
        self._google, self._accounts, self._store, self._engine = google, accounts, store, engine
        self._runs, self._lock, self._scripts = {}, threading.Lock(), []
        self._slots = threading.Semaphore(concurrency)
        google.settings |= {"pending_seconds": 0.05, "queued_seconds": 0.05, "log_seconds": 0.1, "log_bytes": 0, "build_denied": None}
        # What lists of builds are like: whether filters count, the longest page, and how many empty ones come first.
        google.settings |= {"list_filters": True, "list_page": 1000, "list_empty_pages": 0}
        for prefix, build in (("/v1/projects/([^/]+)/locations/([^/]+)/builds", self._in_region),
                              ("/v1/projects/([^/]+)/builds", self._in_global)):
            google.route("POST", prefix, build(self._create))
            google.route("GET", prefix, build(self._list))
            google.route("GET", prefix + "/([^/:]+)", build(self._get))
            google.route("POST", prefix + "/([^/:]+):cancel", build(self._cancel))
            google.route("POST", prefix + "/([^/:]+):retry", build(self._retry))
        google.route("GET", "/v1/(operations/.+)", self._operation)
        google.route("GET", "/v1/(projects/[^/]+/locations/[^/]+/operations/.+)", self._operation)
        google.route("POST", "/control/scripts", self._add_scripts)
        google.route("GET", "/control/builds", lambda _: as_json([run.told() for run in self._all()]))

    # --- who, and where

    def _in_region(self, handler):
        def regional(request, project, location, *more):
            if not REGION.fullmatch(location):
                return rpc_error(400, f"invalid location: {location}")
            return self._allowed(handler, request, project, location, *more)
        return regional

    def _in_global(self, handler):
        return lambda request, project, *more: self._allowed(handler, request, project, "global", *more)

    def _allowed(self, handler, request, project, location, *more):
        self._accounts.caller(request, "cloudbuild")
        if project not in (self._store.project, self._store.number):
            return rpc_error(403, "The caller does not have permission")
        denied = self._google.settings["build_denied"]
        if denied:
            return rpc_error(403, denied)
        return handler(request, location, *more)

    def _all(self):
        with self._lock:
            return list(self._runs.values())

    def _find(self, location, name):
        with self._lock:
            run = self._runs.get(name)
        if run is None or run.location != location:
            raise Refusal(rpc_error(404, "Requested entity was not found."))
        return run

    # --- builds

    def _create(self, request, location):
        try:
            build = json.loads(request.body() or b"{}")
        except ValueError:
            return rpc_error(400, "Invalid JSON payload received. Unexpected token.")
        return as_json(self._start(build, location))

    def _start(self, build, location):
        project, key = self._store.project, str(uuid.uuid4())
        check(build, project)
        console = f"https://console.cloud.google.com/cloud-build/builds;region={location}/{key}?project={self._store.number}"
        defaults = {"timeout": "3600s", "queueTtl": "3600s", "options": {},
                    "serviceAccount": f"projects/{project}/serviceAccounts/{self._accounts.machine}",
                    "logsBucket": f"gs://{self._store.private_logs}"}
        words = defaults | build | {
            "id": key, "name": f"projects/{self._store.number}/locations/{location}/builds/{key}", "projectId": project,
            "createTime": moment(), "status": "PENDING", "logUrl": console}
        words["options"] = {"logging": "LEGACY", "pool": {}} | words["options"]
        with self._lock:
            script = self._scripts.pop(0) if self._scripts else None
        run = Run(words, location, self._google, self._store, self._engine, self._slots, script)
        with self._lock:
            self._runs[key] = run
        return self._operation_of(run)

    def _operation_of(self, run):
        key = base64.b64encode(run.words["id"].encode()).decode()
        name = f"operations/build/{self._store.project}/{key}" if run.location == "global" else \
            f"projects/{self._store.project}/locations/{run.location}/operations/{key}"
        build = run.told()
        told = {"name": name, "metadata": {"@type": "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata",
                                           "build": build}}
        if not run.ended:
            return told
        if build["status"] == "SUCCESS":
            return told | {"done": True, "response": {"@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build"} | build}
        return told | {"done": True, "error": {"code": 2, "message": f"Build failed; check build logs for details: {build['status']}"}}

    def _operation(self, request, name):
        self._accounts.caller(request, "cloudbuild")
        for run in self._all():
            told = self._operation_of(run)
            if told["name"] == name:
                return as_json(told)
        return rpc_error(404, "Requested entity was not found.")

    def _list(self, request, location):
        settings = self._google.settings
        filters = request.query.get("filter", "") if settings["list_filters"] else ""
        chosen = [run for run in reversed(self._all()) if run.location == location and wanted(run.told(), filters)]
        size = min(int(request.query.get("pageSize", 50) or 50), settings["list_page"])
        start = int(request.query.get("pageToken") or -settings["list_empty_pages"])
        if start < 0:
            return as_json({"nextPageToken": str(start + 1)})
        told = {"builds": [run.told() for run in chosen[start:start + size]]} if chosen[start:] else {}
        return as_json(told | ({"nextPageToken": str(start + size)} if len(chosen) > start + size else {}))

    def _get(self, _, location, name):
        return as_json(self._find(location, name).told())

    def _cancel(self, request, location, name):
        request.body()
        run = self._find(location, name)
        if not run.cancel():
            return rpc_error(400, "cannot cancel a build that is not in progress")
        return as_json(run.told())

    def _retry(self, request, location, name):
        request.body()
        old = self._find(location, name).told()
        kept = ("source", "steps", "images", "timeout", "queueTtl", "tags", "substitutions", "options", "logsBucket", "serviceAccount")
        build = {key: old[key] for key in kept if key in old}
        build["steps"] = [{key: value for key, value in step.items() if key not in ("status", "exitCode", "timing")}
                          for step in old["steps"]]
        build["options"] = {key: value for key, value in build["options"].items() if key != "pool" or value}
        return as_json(self._start(build, location))

    # --- the tests' own

    def _add_scripts(self, request):
        """How the next builds go without an engine: `[{"log": ["text", seconds…], "status", "failureInfo", …}]`, one each."""
        with self._lock:
            self._scripts += control_json(request)
        return as_json({})


def wanted(build, condition):
    """Cloud Build's filters, as far as clients use them: terms with AND between them."""
    if not condition.strip():
        return True
    for term in re.split(r"\s+AND\s+", condition.strip()):
        match = TERM.fullmatch(term.strip())
        if not match:
            raise Refusal(rpc_error(400, f"Request contains an invalid argument: invalid filter: {term}"))
        field, value = match[1], next(one for one in match.groups()[1:] if one is not None)
        held = build.get("tags", []) if field == "tags" else [build["status"] if field == "status" else build["id"]]
        if value not in held:
            return False
    return True
