"""HTTP/1.1: connections, bodies in both directions, faults, and the way from a path to its handler."""

import email.utils
import http.client
import http.server
import json
import re
import socket
import socketserver
import ssl
import struct
import threading
import time
import traceback
import urllib.parse

import faults
from messages import Answer, Refusal, as_json, as_text, error_for

PIECE = 1 << 16
# What is read and thrown away so that an early answer can be read by a client that only writes.
DRAINED = 64 << 20


class Reset(Exception):
    """The connection is to be reset."""


class Request:
    """What a handler sees. The body comes in pieces, with this request's faults in it."""

    def __init__(self, connection, target):
        self.method, self.headers, self._connection = connection.command, connection.headers, connection
        self.path, _, self.raw_query = target.partition("?")
        # `+` is no space: Google's paths and most of its clients' queries have %20.
        self.query = dict(urllib.parse.parse_qsl(self.raw_query, keep_blank_values=True))
        self.action = connection.server.google.faults.action_for(self.method, self.path, self.raw_query)
        self.received, self.ended = 0, False
        self.chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        self.length = None if self.chunked else int(self.headers.get("Content-Length") or 0)
        self.server = connection.server.google
        self.note = {}

    @property
    def base(self):
        """Where the client reached this server."""
        scheme = "https" if isinstance(self._connection.connection, ssl.SSLSocket) else "http"
        return f"{scheme}://{self.headers.get('Host')}"

    def pieces(self):
        if self.received == 0 and self.headers.get("Expect", "").lower() == "100-continue":
            self._connection.send_response_only(100)
            self._connection.end_headers()
        for piece in self._chunks() if self.chunked else self._sized():
            piece = self._meddled(piece)
            self.received += len(piece)
            yield piece
            if self.action.get("reset") == "during" and self.received >= self.action.get("after", 0):
                raise Reset("as told")
        self.ended = True

    def body(self, limit=8 << 20):
        held = bytearray()
        for piece in self.pieces():
            held += piece
            if len(held) > limit:
                raise Refusal(as_text("Request Entity Too Large", 413))
        return bytes(held)

    def drain(self):
        for _ in self.pieces():
            if self.received > DRAINED:
                return

    def _read(self, size):
        after = self.action.get("after")
        if after is not None and self.received < after and ("stall" in self.action or self.action.get("reset") == "during"):
            size = min(size, after - self.received)
        data = self._connection.rfile.read1(size)
        if not data:
            raise Reset("the client went away")
        return data

    def _sized(self):
        left = self.length - self.received
        while left:
            data = self._read(min(left, PIECE))
            left -= len(data)
            yield data

    def _chunks(self):
        file = self._connection.rfile
        while True:
            size = int(file.readline(1000).split(b";")[0], 16)
            if not size:
                while file.readline(10000).strip():
                    pass
                return
            while size:
                data = self._read(min(size, PIECE))
                size -= len(data)
                yield data
            file.readline(10)

    def _meddled(self, piece):
        action, start, end = self.action, self.received, self.received + len(piece)
        if "slow" in action:
            time.sleep(len(piece) / action["slow"])
        place = action.get("corrupt")
        if place is not None and start <= place < end:
            piece = piece[:place - start] + bytes([piece[place - start] ^ 0x55]) + piece[place - start + 1:]
        after = action.get("after", 0)
        if "stall" in action and start < after <= end:
            self.server.sleep(action["stall"])
        return piece


class Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "UploadServer", ""
    rbufsize = PIECE
    wbufsize = PIECE
    disable_nagle_algorithm = True

    def setup(self):
        if self.server.tls:
            self.request.settimeout(30)
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.request.settimeout(600)
        super().setup()

    def finish(self):
        super().finish()
        if self.server.tls and not isinstance(self.wfile, Nowhere):
            try:
                self.connection.settimeout(1)
                self.connection.unwrap().close()
            except (OSError, ValueError):
                pass  # it had gone already

    def log_message(self, *_):
        pass

    def _serve(self):
        google, began = self.server.google, time.time()
        try:
            request = Request(self, self.path)
        except ValueError:
            self.close_connection = True
            return self._send(None, as_text("Bad Request", 400))
        entry = google.journal.begin(request, began)
        try:
            answer = self._fault(request) or google.handle(request)
            if not request.ended:
                request.drain()
            if not request.ended:
                self.close_connection = True
            if "delay" in request.action:
                google.sleep(request.action["delay"])
            if "stall" in request.action and not request.action.get("after"):
                google.sleep(request.action["stall"])
            if request.action.get("reset") == "after":
                raise Reset("as told")
            entry["status"] = answer.status
            google.journal.end(entry, request)  # before the answer: who has it may ask for the log at once
            self._send(request, answer)
        except Reset as reason:
            google.journal.end(entry, request, str(reason))
            self._reset()
        except (OSError, ValueError, http.client.HTTPException) as problem:
            google.journal.end(entry, request, repr(problem))
            self._reset()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _fault(self, request):
        action = request.action
        if action.get("reset") == "before":
            raise Reset("as told")
        if "status" not in action:
            return None
        request.drain()
        status, headers = action["status"], action.get("headers", {})
        if "body" in action:
            kind = "text/plain; charset=utf-8" if isinstance(action["body"], str) else "application/json; charset=UTF-8"
            return Answer(status, faults.body_of(action), {"Content-Type": kind, **headers})
        answer = error_for(request.path, status, WORDS.get(status) or http.client.responses.get(status, "Error"))
        answer.headers.update(headers)
        return answer

    def _send(self, request, answer):
        action = request.action if request else {}
        self.send_response_only(answer.status, REASONS.get(answer.status))
        size = answer.size if answer.pieces is not None else len(answer.body)
        # 499 and 308 have no body, but a length: it is what a client waits for otherwise.
        answer.headers.setdefault("Content-Length", str(size))
        now = time.time() + self.server.google.settings.get("clock_offset", 0)
        answer.headers.setdefault("Date", email.utils.formatdate(now, usegmt=True))
        if request and self.server.google.settings["flavour"] and request.path.startswith("/computeMetadata"):
            answer.headers.setdefault("Metadata-Flavor", "Google")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if request and request.method == "HEAD" or answer.status in (204, 304):
            return
        sent = 0
        for piece in answer.pieces if answer.pieces is not None else (answer.body,):
            sent = self._send_piece(action, piece, sent)
        self.wfile.flush()

    def _send_piece(self, action, piece, sent):
        place, end = action.get("corrupt_answer"), sent + len(piece)
        if place is not None and sent <= place < end:
            piece = piece[:place - sent] + bytes([piece[place - sent] ^ 0x55]) + piece[place - sent + 1:]
        cut = action.get("cut_answer", action.get("after") if "stall_answer" in action else None)
        if cut is not None and sent <= cut <= end:
            self.wfile.write(piece[:cut - sent])
            self.wfile.flush()
            if "cut_answer" in action:
                raise Reset("as told")
            self.server.google.sleep(action["stall_answer"])
            self.wfile.write(piece[cut - sent:])
        elif "slow_answer" in action:
            step = max(1, int(action["slow_answer"] / 20))
            for start in range(0, len(piece), step):
                self.wfile.write(piece[start:start + step])
                self.wfile.flush()
                self.server.google.sleep(1 / 20)
        else:
            self.wfile.write(piece)
        return end

    def _reset(self):
        """No FIN, no TLS goodbye: what a client sees when a machine goes."""
        self.close_connection = True
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        # What is still buffered is not to be sent after all.
        self.wfile = Nowhere()
        self.connection.close()


class Nowhere:
    closed = True

    def flush(self):
        pass

    def close(self):
        pass

    def write(self, data):
        return len(data)


WORDS = {401: "Invalid Credentials", 403: "Forbidden", 404: "Not Found",
         408: "Request Timeout", 410: "Gone", 429: "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute'.",
         500: "We encountered an internal error. Please try again.", 502: "Bad Gateway",
         503: "Backend Error", 504: "Gateway Timeout"}
REASONS = {308: "Resume Incomplete", 499: "Client Closed Request"}


class Port(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, google, tls=None, port=0):
        self.google, self.tls = google, tls
        super().__init__(("127.0.0.1", port), Connection)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that went away, or does not trust the certificate


class Journal:
    """What was asked, for the tests to look at."""

    def __init__(self):
        self._lock, self._entries = threading.Lock(), []

    def begin(self, request, now):
        entry = {"method": request.method, "path": request.path, "query": request.raw_query, "time": now,
                 "range": request.headers.get("Range") or request.headers.get("Content-Range") or "",
                 "quota": request.headers.get("x-goog-user-project", ""), "fault": request.action, "status": 0, "received": 0}
        if not request.path.startswith("/control/"):
            self.add(entry)
        return entry

    def end(self, entry, request, reset=None):
        told = {"received": request.received, "seconds": time.time() - entry["time"], **request.note}
        with self._lock:
            entry.update(told if reset is None else told | {"reset": reset})

    def add(self, entry):
        with self._lock:
            self._entries.append(entry)

    def told(self):
        with self._lock:
            return [dict(entry) for entry in self._entries]

    def clear(self):
        with self._lock:
            self._entries = []


class Google:
    """The services by their paths: (method, pattern, handler) each. A handler gets the request and the pattern's groups, decoded."""

    def __init__(self):
        self.faults, self.journal = faults.Faults(), Journal()
        self.settings = {"flavour": True}
        self.ended = threading.Event()
        self._routes = []
        self.route("GET", "/control/faults", lambda _: as_json(self.faults.told()))
        self.route("POST", "/control/faults", self._add_faults)
        self.route("DELETE", "/control/faults", lambda _: self.faults.clear() or as_json({}))
        self.route("GET", "/control/log", lambda _: as_json(self.journal.told()))
        self.route("DELETE", "/control/log", lambda _: self.journal.clear() or as_json({}))
        self.route("GET", "/control/settings", lambda _: as_json(self.settings))
        self.route("POST", "/control/settings", self._set)

    def sleep(self, seconds):
        self.ended.wait(seconds)

    def route(self, method, pattern, handler):
        self._routes.append((method, re.compile(pattern), handler))

    def handle(self, request):
        known = False
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            known = known or bool(match)
            if match and method == request.method:
                try:
                    return handler(request, *(urllib.parse.unquote(group) for group in match.groups()))
                except Refusal as refusal:
                    return refusal.answer
                except (Reset, OSError):
                    raise
                except Exception:  # the test is to see it, not only this thread
                    traceback.print_exc()
                    return as_text(traceback.format_exc(), 500)
        return error_for(request.path, 405 if known else 404, "Method Not Allowed" if known else "Not Found")

    def _add_faults(self, request):
        try:
            self.faults.add(control_json(request))
        except (ValueError, KeyError, re.error) as problem:
            return as_text(str(problem), 400)
        return as_json({})

    def _set(self, request):
        words = control_json(request)
        unknown = set(words) - set(self.settings)
        if unknown:
            return as_text(f"no such setting: {', '.join(sorted(unknown))}", 400)
        self.settings.update(words)
        return as_json(self.settings)


def control_json(request):
    return json.loads(request.body() or b"{}")
