"""storage.googleapis.com: buckets, and objects but for their uploads."""

import base64
import json
import re
from xml.sax.saxutils import escape

from accounts import STORAGE_SCOPES
from checksums import Checksums
from messages import Answer, Refusal, as_json, as_text, storage_error
from store import allowed_name, check_conditions, moment

READING = STORAGE_SCOPES | {"https://www.googleapis.com/auth/devstorage.read_only"}
B, O = "/storage/v1/b/([^/]+)", "/storage/v1/b/([^/]+)/o/([^/]+)"


def trimmed(value, fields):
    """What a partial answer holds: `a,b(c,d),e/f`."""
    names, depth, word = [], 0, ""
    for letter in fields + ",":
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            names.append(word)
            word = ""
        else:
            word += letter
    kept = {}
    for name in names:
        name, slash, rest = name.partition("/") if "/" in name.split("(")[0] else (name, "", "")
        nested = re.fullmatch(r"(\w+)\((.*)\)", name)
        inner = rest if slash else nested and nested[2]
        name = nested[1] if nested else name
        if name == "*":
            return value
        if name in value:
            found = value[name]
            if inner:
                found = [trimmed(one, inner) for one in found] if isinstance(found, list) else trimmed(found, inner)
            kept[name] = found
    return kept


def answer_with(request, value, status=200):
    return as_json(trimmed(value, request.query["fields"]) if "fields" in request.query else value, status)


def json_body(request):
    try:
        value = json.loads(request.body() or b"{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal(storage_error(400, "Parse Error", "parseError"))
    return value


class Storage:
    def __init__(self, google, accounts, store):
        self._accounts, self._store = accounts, store
        for method, pattern, handler in (
                ("GET", "/storage/v1/b", self._list_buckets), ("POST", "/storage/v1/b", self._insert_bucket),
                ("GET", B, self._get_bucket), ("PATCH", B, self._patch_bucket), ("DELETE", B, self._delete_bucket),
                ("GET", B + "/iam/testPermissions", self._test_permissions),
                ("GET", B + "/o", self._list), ("GET", O, self._get), ("GET", "/download" + O, self._get),
                ("PATCH", O, self._patch), ("DELETE", O, self._delete),
                ("GET", "/(?!storage/|upload/|control/|v1/|v2/|computeMetadata|latest/|token)([^/]+)/(.+)", self._get_xml),
                ("POST", "/control/deny", self._deny), ("POST", "/control/buckets", self._foreign_bucket),
                ("GET", "/control/buckets/([^/]+)", self._shown_bucket), ("GET", "/control/buckets/([^/]+)/objects", self._shown_objects),
                ("GET", "/control/checksum/([^/]+)/(.+)", self._checksum)):
            google.route(method, pattern, handler)

    def caller(self, request, scopes=STORAGE_SCOPES):
        principal = self._accounts.caller(request, "storage", frozenset(scopes))
        project = request.headers.get("x-goog-user-project") or request.query.get("userProject")
        if project and project not in (self._store.project, self._store.number):
            raise Refusal(storage_error(
                403, f"Caller does not have required permission to use project {project}. Grant the caller the "
                     "roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use "
                     "permission.", "forbidden"))
        return principal

    # --- buckets

    def _list_buckets(self, request):
        self.caller(request, READING)
        if request.query.get("project") not in (self._store.project, self._store.number):
            return storage_error(403 if "project" in request.query else 400, "Unknown project id: " + request.query.get("project", ""))
        prefix = request.query.get("prefix", "")
        with self._store.lock:
            items = [bucket.resource(request.base) for name, bucket in sorted(self._store.buckets.items())
                     if bucket.project == self._store.project and name.startswith(prefix)]
        return answer_with(request, {"kind": "storage#buckets"} | ({"items": items} if items else {}))

    def _insert_bucket(self, request):
        principal = self.caller(request)
        words = json_body(request)
        name, project = words.get("name"), request.query.get("project")
        if not isinstance(name, str) or not allowed_name(name):
            return storage_error(400, f"Invalid bucket name: '{name}'")
        if not project:
            return storage_error(400, "Required parameter: project", "required")
        if project not in (self._store.project, self._store.number):
            return storage_error(400, f"Unknown project id: {project}")
        with self._store.lock:
            there = self._store.buckets.get(name)
            if there is None:
                self._store.require(principal, "storage.buckets.create", name)
                return answer_with(request, self._store.add_bucket(name, self._store.project, words).resource(request.base))
            there.words.pop("hidden", None)
            if there.project == self._store.project:
                return storage_error(409, "Your previous request to create the named bucket succeeded and you already own it.")
        return storage_error(409, "The requested bucket name is not available. The bucket namespace is shared by all users of the "
                                  "system. Please select a different name and try again.")

    def _get_bucket(self, request, name):
        principal = self.caller(request, READING)
        found = self._store.bucket(principal, "storage.buckets.get", name)
        return answer_with(request, found.resource(request.base))

    def _patch_bucket(self, request, name):
        found = self._store.bucket(self.caller(request), "storage.buckets.update", name)
        found.words |= json_body(request)
        found.metageneration += 1
        return answer_with(request, found.resource(request.base))

    def _delete_bucket(self, request, name):
        found = self._store.bucket(self.caller(request), "storage.buckets.delete", name)
        with self._store.lock:
            if found.objects:
                return storage_error(409, "The bucket you tried to delete is not empty.")
            del self._store.buckets[name]
        return Answer(204)

    def _test_permissions(self, request, name):
        principal = self.caller(request, READING)
        asked = re.findall(r"permissions=([\w.]+)", request.raw_query)
        held = []
        for permission in asked:
            try:
                self._store.bucket(principal, permission, name)
                held.append(permission)
            except Refusal as refusal:
                if refusal.answer.status == 404:
                    raise
        return as_json({"kind": "storage#testIamPermissionsResponse"} | ({"permissions": held} if held else {}))

    # --- objects

    def _list(self, request, name):
        bucket = self._store.bucket(self.caller(request, READING), "storage.objects.list", name)
        query = request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = base64.urlsafe_b64decode(query["pageToken"]).decode() if "pageToken" in query else ""
        most = min(int(query.get("maxResults", 1000)), 1000)
        items, folders, more = [], [], None
        with self._store.lock:
            for key in sorted(bucket.objects):
                if not key.startswith(prefix) or key <= after:
                    continue
                if len(items) + len(folders) == most:
                    more = True
                    break
                cut = key.find(delimiter, len(prefix)) if delimiter else -1
                if cut < 0:
                    items.append(bucket.objects[key].resource(request.base))
                elif key[:cut + len(delimiter)] not in folders:
                    folders.append(key[:cut + len(delimiter)])
                last = key
        found = {"kind": "storage#objects"} | ({"items": items} if items else {}) | ({"prefixes": folders} if folders else {})
        if more:
            found["nextPageToken"] = base64.urlsafe_b64encode(last.encode()).decode()
        return answer_with(request, found)

    def _find(self, request, permission, bucket_name, name, scopes=STORAGE_SCOPES):
        bucket = self._store.bucket(self.caller(request, scopes), permission, bucket_name, name)
        found = self._store.object(bucket, name, request.query.get("generation"))
        check_conditions(found, request.query)
        return bucket, found

    def _get(self, request, bucket_name, name):
        media = request.query.get("alt") == "media"
        try:
            _, found = self._find(request, "storage.objects.get", bucket_name, name, READING)
        except Refusal as refusal:
            if not media or refusal.answer.status in (304, 401):
                raise
            # Of a download only the words are told.
            words = json.loads(refusal.answer.body)["error"]["message"]
            return as_text(words, refusal.answer.status)
        if not media:
            return answer_with(request, found.resource(request.base))
        return self._media(request, found)

    def _media(self, request, found):
        size, start, status = found.content.size, 0, 200
        end = size
        headers = {"Content-Type": found.words.get("contentType", "application/octet-stream"), "ETag": found.etag,
                   "X-Goog-Generation": str(found.generation), "X-Goog-Metageneration": str(found.metageneration),
                   "X-Goog-Hash": f"crc32c={found.content.sums.crc32c},md5={found.content.sums.md5}",
                   "X-Goog-Stored-Content-Length": str(size), "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", ""))
        if asked and any(asked.groups()):
            first, last = asked.groups()
            start = int(first) if first else max(0, size - int(last))
            end = min(size, int(last) + 1) if first and last else size
            if start >= size:
                return as_text("Request range not satisfiable", 416, {"Content-Range": f"bytes */{size}"})
            status, headers["Content-Range"] = 206, f"bytes {start}-{end - 1}/{size}"
        return Answer(status, headers=headers, pieces=found.content.read(start, end), size=end - start)

    def _get_xml(self, request, bucket_name, name):
        """The XML API's download, which logs are read by."""
        try:
            _, found = self._find(request, "storage.objects.get", bucket_name, name, READING)
            answer = self._media(request, found)
        except Refusal as refusal:
            answer = refusal.answer
        if answer.status < 400:
            return answer
        code, words = {401: ("AuthenticationRequired", "Authentication required."), 403: ("AccessDenied", "Access denied."),
                       404: ("NoSuchKey", "The specified key does not exist."),
                       416: ("InvalidRange", "The requested range cannot be satisfied.")}.get(answer.status, ("Error", "Error"))
        details = ""
        if answer.status == 403:
            details = f"<Details>{escape(json.loads(answer.body)['error']['message'])}</Details>"
        text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{words}</Message>{details}</Error>"
        return Answer(answer.status, text.encode(), content_type="application/xml; charset=UTF-8")

    def _patch(self, request, bucket_name, name):
        words = json_body(request)
        _, found = self._find(request, "storage.objects.update", bucket_name, name)
        with self._store.lock:
            found.words |= words
            found.metageneration += 1
            found.updated = moment()
        return answer_with(request, found.resource(request.base))

    def _delete(self, request, bucket_name, name):
        bucket, found = self._find(request, "storage.objects.delete", bucket_name, name)
        with self._store.lock:
            if bucket.objects.get(name) is found:
                del bucket.objects[name]
        found.content.drop()
        return Answer(204)

    # --- the tests' own

    def _deny(self, request):
        """`[{"permission": REGEX, "resource": REGEX}]`: what nobody may do from now on. An empty list ends it."""
        self._store.denied = json.loads(request.body())
        return as_json({})

    def _foreign_bucket(self, request):
        """`{"name", "open", "hidden"}`: a bucket of somebody else, which all the same may be written and read if it is open; hidden,
        it seems not to be there until somebody wants to make it, as one that is made between two requests.
        """
        words = json.loads(request.body())
        self._store.add_bucket(words["name"], words.get("project", "of-somebody-else"), {
            key: True for key in ("open", "hidden") if words.get(key)})
        return as_json({})

    def _shown_bucket(self, request, name):
        return as_json(self._store.buckets[name].resource(request.base))

    def _shown_objects(self, _, name):
        return as_json(sorted(self._store.buckets[name].objects))

    def _checksum(self, _, bucket, name):
        """That of the file which holds it, made anew."""
        sums = Checksums()
        content = self._store.buckets[bucket].objects[name].content
        for piece in content.read():
            sums.add(piece)
        return as_json({"crc32c": sums.crc32c, "size": content.size})
