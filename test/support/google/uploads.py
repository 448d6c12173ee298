"""Uploads to Cloud Storage: in one request, in two parts, and resumable, with every rule kept."""

import json
import re
import secrets
import threading

from messages import Answer, Refusal, as_json, as_text, storage_error
from server import Reset, control_json
from storage import answer_with
from store import check_conditions

GRANULE = 256 << 10
PATH = "/upload/storage/v1/b/([^/]+)/o"
RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
WRITABLE = {"name", "bucket", "contentType", "contentEncoding", "contentDisposition", "contentLanguage", "cacheControl", "customTime",
            "metadata", "storageClass", "md5Hash", "crc32c", "generation", "eventBasedHold", "temporaryHold", "acl", "retention"}


def refused(words):
    return Refusal(as_text(words, 400))


class Session:
    def __init__(self, bucket, name, words, query, content, total):
        self.bucket, self.name, self.words, self.query, self.content, self.total = bucket, name, words, query, content, total
        self.lock, self.writer, self.result, self.ended = threading.Lock(), 0, None, None


class Uploads:
    def __init__(self, google, store, storage):
        self._store, self._storage = store, storage
        self._sessions, self._lock = {}, threading.Lock()
        # Whether a condition is looked at when a session begins, too.
        google.settings |= {"conditions_at_start": False}
        self._settings = google.settings
        google.route("POST", PATH, self._post)
        google.route("PUT", PATH, self._session_request)
        google.route("DELETE", PATH, self._cancel)
        google.route("POST", "/control/expire_sessions", self._expire)
        google.route("GET", "/control/sessions", self._shown_sessions)

    # --- the beginnings

    def _post(self, request, bucket_name):
        if "upload_id" in request.query:
            return self._session_request(request, bucket_name)
        principal = self._storage.caller(request)
        begin = {"media": self._media, "multipart": self._multipart, "resumable": self._resumable}.get(request.query.get("uploadType"))
        if begin is None:
            return storage_error(400, f"Invalid upload type: {request.query.get('uploadType')}")
        return begin(request, principal, bucket_name)

    def _place(self, principal, bucket_name, name):
        if not name or len(name.encode()) > 1024 or "\r" in name or "\n" in name or name in (".", ".."):
            raise Refusal(storage_error(400, "Required" if not name else f"Invalid object name: '{name}'",
                                        "invalid" if name else "required"))
        bucket = self._store.bucket(principal, "storage.objects.create", bucket_name, name)
        if name in bucket.objects:
            self._store.require(principal, "storage.objects.delete", bucket_name, name)
        return bucket

    @staticmethod
    def _words(text):
        try:
            words = json.loads(text or b"{}")
        except ValueError:
            words = None
        if not isinstance(words, dict) or set(words) - WRITABLE:
            raise Refusal(storage_error(400, "Parse Error", "parseError"))
        return words

    def _media(self, request, principal, bucket_name):
        name = request.query.get("name", "")
        bucket = self._place(principal, bucket_name, name)
        content = self._store.content()
        for piece in request.pieces():
            content.add(piece)
        request.note["content"] = content.size
        words = {"contentType": request.headers["Content-Type"]} if "Content-Type" in request.headers else {}
        return answer_with(request, self._stored(request, bucket, name, content, words))

    def _multipart(self, request, principal, bucket_name):
        boundary = re.search(r'boundary="?([^";]+)"?', request.headers.get("Content-Type", ""))
        if not boundary or not request.headers["Content-Type"].startswith("multipart/related"):
            raise Refusal(storage_error(400, "Multipart content must have a boundary.", "badContent"))
        mark, body = b"--" + boundary[1].encode(), request.body(256 << 20)
        first, middle, rest = body.partition(b"\r\n" + mark + b"\r\n")
        media, end, tail = rest.rpartition(b"\r\n" + mark + b"--")
        if not first.startswith(mark + b"\r\n") or not middle or not end or tail.strip():
            raise Refusal(storage_error(400, "Malformed multipart body.", "badContent"))
        _, metadata = part_of(first[len(mark) + 2:])
        headers, data = part_of(media)
        words = self._words(metadata)
        name = request.query.get("name") or words.get("name", "")
        bucket = self._place(principal, bucket_name, name)
        content = self._store.content()
        content.add(data)
        request.note["content"] = content.size
        if "content-type" in headers:
            words.setdefault("contentType", headers["content-type"])
        return answer_with(request, self._stored(request, bucket, name, content, words))

    def _resumable(self, request, principal, bucket_name):
        words = self._words(request.body())
        name = request.query.get("name") or words.get("name", "")
        bucket = self._place(principal, bucket_name, name)
        if self._settings["conditions_at_start"]:
            check_conditions(bucket.objects.get(name), request.query)
        if "X-Upload-Content-Type" in request.headers:
            words.setdefault("contentType", request.headers["X-Upload-Content-Type"])
        total = request.headers.get("X-Upload-Content-Length")
        key = secrets.token_urlsafe(64)
        with self._lock:
            self._sessions[key] = Session(bucket, name, words, request.query, self._store.content(), int(total) if total else None)
        place = f"{request.base}{request.path}?{request.raw_query}&upload_id={key}"
        return Answer(200, headers={"Location": place, "X-GUploader-UploadID": key, "Content-Type": "text/plain; charset=utf-8"})

    # --- a session

    def _session(self, request):
        with self._lock:
            session = self._sessions.get(request.query.get("upload_id"))
        if session is None:
            raise Refusal(as_text("Not Found", 404))
        if "expire" in request.action and session.ended is None:
            session.ended = request.action["expire"]
            session.content.drop()
        if session.ended == 499:
            raise Refusal(as_text("Not Found", 404))
        if session.ended:
            raise Refusal(as_text("Gone" if session.ended == 410 else "Not Found", session.ended))
        return session

    def _session_request(self, request, _):
        session = self._session(request)
        size = request.length
        asked = request.headers.get("Content-Range")
        match = RANGE.fullmatch(asked) if asked else None
        if asked and not match:
            raise refused("Failed to parse Content-Range header.")
        with session.lock:
            session.writer += 1  # whoever wrote before has been given up by the client
            writer = session.writer
            if session.result:
                return self._told(request, session)
            if not asked:
                first, last, total = 0, (size or 0) - 1, size
            elif match[1] is None:
                return self._asked(request, session, match[3])
            else:
                first, last, total = int(match[1]), int(match[2]), None if match[3] == "*" else int(match[3])
            self._check(session, first, last, total, size)
        self._take(request, session, writer, first, last)
        with session.lock:
            if session.writer != writer:
                raise Reset("another request of this session came")
            if "persist" in request.action:
                return self._incomplete(request, session)
            if total is not None and session.content.size == total:
                return self._finish(request, session)
            return self._incomplete(request, session)

    def _asked(self, request, session, total):
        if total != "*":
            total = int(total)
            if session.total is not None and session.total != total or total < session.content.size:
                raise refused("Invalid request.  The total size does not match that of earlier requests.")
            if total == session.content.size:
                return self._finish(request, session)
        return self._incomplete(request, session)

    @staticmethod
    def _check(session, first, last, total, size):
        if size is not None and size != last - first + 1:
            raise refused("Invalid request.  The Content-Length does not match the Content-Range.")
        if total is not None and (last >= total or session.total is not None and session.total != total):
            raise refused("Invalid request.  The total size does not match that of earlier requests.")
        if session.total is not None and last >= session.total:
            raise refused("Invalid request.  More bytes than were announced.")
        if first > session.content.size:
            raise refused(f"Invalid request.  According to the Content-Range header, the upload offset is {first} byte(s), which "
                          f"exceeds already uploaded size of {session.content.size} byte(s).")
        length = last - first + 1
        if (total is None or last + 1 < total) and length % GRANULE:
            raise refused("Invalid request.  The number of bytes uploaded is required to be equal or greater than 262144, except for "
                          "the final request (it's recommended to be the exact multiple of 262144).  The received request contained "
                          f"{length} bytes, which does not meet this requirement.")

    def _take(self, request, session, writer, first, last):
        """Keeps what is new of a chunk. Of one that breaks off whole granules are kept."""
        known = request.action.get("persist")
        end = last + 1 if known is None else min(last + 1, first + known)
        place, held = first, bytearray()
        taken = session.content.size

        def keep(size):
            with session.lock:
                if session.writer != writer or session.ended:
                    raise Reset("another request of this session came")
                session.content.add(bytes(held[:size]))
            del held[:size]

        try:
            for piece in request.pieces():
                start = max(0, session.content.size + len(held) - place)
                place += len(piece)
                held += piece[start:max(start, len(piece) - max(0, place - end))]
                if len(held) >= GRANULE:
                    keep(len(held) // GRANULE * GRANULE)
            keep(len(held))
        except Reset:
            # Whole granules of the object, not of this request.
            keep(max(0, (session.content.size + len(held)) // GRANULE * GRANULE - session.content.size))
            raise
        finally:
            request.note |= {"content": place - first, "kept": session.content.size - taken}

    def _incomplete(self, request, session):
        headers = {"X-GUploader-UploadID": request.query["upload_id"]}
        if session.content.size:
            headers["Range"] = f"bytes=0-{session.content.size - 1}"
        if request.headers.get("X-GUploader-No-308") == "yes":
            return Answer(200, headers=headers | {"X-HTTP-Status-Code-Override": "308"})
        return Answer(308, headers=headers)

    def _finish(self, request, session):
        try:
            session.result = self._stored(request, session.bucket, session.name, session.content, session.words, session.query)
        except Refusal as refusal:
            session.ended = 410 if refusal.answer.status == 400 else 404
            raise
        return self._told(request, session)

    @staticmethod
    def _told(request, session):
        request.query.setdefault("fields", session.query.get("fields", "*"))
        return answer_with(request, session.result)

    def _cancel(self, request, _):
        session = self._session(request)
        with session.lock:
            if session.result is None:
                session.ended = 499
                session.content.drop()
        return Answer(499, content_type="text/plain; charset=utf-8")

    def _expire(self, request):
        """`{"status": 404 or 410}` for all sessions that are open."""
        status = control_json(request).get("status", 410)
        with self._lock:
            for session in self._sessions.values():
                if session.result is None and session.ended is None:
                    session.ended = status
        return as_text("")

    def _shown_sessions(self, _):
        """Those that neither came to their end nor were taken back."""
        with self._lock:
            return as_json([{"name": session.name, "size": session.content.size} for session in self._sessions.values()
                            if session.result is None and session.ended is None])

    # --- the end

    def _stored(self, request, bucket, name, content, words, query=None):
        query = request.query if query is None else query
        told = dict(one.strip().split("=", 1) for one in request.headers.get("x-goog-hash", "").split(",") if "=" in one)
        sums = content.sums
        try:
            for what, claimed, right in (("CRC32C", told.get("crc32c"), sums.crc32c), ("CRC32C", words.get("crc32c"), sums.crc32c),
                                         ("MD5 hash", told.get("md5"), sums.md5), ("MD5 hash", words.get("md5Hash"), sums.md5)):
                if claimed is not None and claimed != right:
                    raise Refusal(storage_error(
                        400, f'Provided {what} "{claimed}" doesn\'t match calculated {what} "{right}".', "invalid"))
            kept = {key: value for key, value in words.items() if key not in ("name", "bucket", "md5Hash", "crc32c", "generation")}
            return self._store.put(bucket, name, content, kept, query).resource(request.base)
        except Refusal:
            content.drop()
            raise


def part_of(text):
    """Headers and content of a part of a multipart body."""
    head, _, content = text.partition(b"\r\n\r\n")
    lines = (line.partition(":") for line in head.decode().split("\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in lines}, content
