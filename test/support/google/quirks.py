"""A second storage emulator, small and apart from the first: what it does is allowed by HTTP, or was seen somewhere, but is not
what Google sends. `code` is a text and `message` an object, there is no `size` and no checksum, generations are numbers, and
a started or finished upload is a 201, at an address without a host. No tokens are asked for, and no conditions but ifGenerationMatch=0 are known.
"""

import http.server
import json
import re
import threading
import urllib.parse
import uuid

STATE = {"buckets": set(), "objects": {}, "sessions": {}, "log": []}
LOCK = threading.Lock()


class Emulator(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "emulator", ""
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def handle_one(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = [urllib.parse.unquote(part) for part in url.path.strip("/").split("/")]
        data = self._body()
        with LOCK:
            STATE["log"].append({"method": self.command, "path": url.path, "received": len(data)})
            self._choose(parts, query, data)

    do_GET = do_POST = do_PUT = do_DELETE = handle_one

    def _body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _choose(self, parts, query, data):
        if parts == ["control", "log"]:
            return self._answer(200, STATE["log"])
        if parts[:1] == ["session"]:
            return self._session(parts[1], data)
        if parts[:4] == ["upload", "storage", "v1", "b"] and self.command == "POST":
            return self._upload(parts[4], query, data)
        if parts == ["storage", "v1", "b"] and self.command == "POST":
            STATE["buckets"].add(json.loads(data)["name"])
            return self._answer(200, {"name": json.loads(data)["name"]})
        if parts[:3] != ["storage", "v1", "b"]:
            parts = ["storage", "v1", "b", parts[0], "o", "/".join(parts[1:])]
            query["alt"] = "media"
        if parts[4:] == ["iam", "testPermissions"]:
            return self._refuse(501, "not here")
        if len(parts) == 4:
            known = parts[3] in STATE["buckets"]
            return self._answer(200, {"name": parts[3]}) if known else self._refuse(404, "no bucket")
        found = STATE["objects"].get((parts[3], parts[5]))
        if found is None:
            return self._refuse(404, "no object")
        if self.command == "DELETE":
            del STATE["objects"][parts[3], parts[5]]
            return self._answer(200, None)
        if query.get("alt") == "media":
            return self._media(found[1])
        return self._answer(200, self._resource(parts[3], parts[5]))

    def _media(self, data):
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        if asked and int(asked[1]) >= len(data):
            return self._refuse(416, "nothing there")
        # A server may answer with everything whatever range was asked for, if it says so by 200. This one does not.
        first, last = (int(asked[1]), int(asked[2] or len(data) - 1)) if asked else (0, len(data) - 1)
        self.send_response_only(206 if asked else 200)
        self.send_header("content-length", str(len(data[first:last + 1])))
        self.end_headers()
        self.wfile.write(data[first:last + 1])

    def _upload(self, bucket, query, data):
        if bucket not in STATE["buckets"]:
            return self._refuse(404, "no bucket")
        name = query.get("name")
        if query.get("uploadType") == "resumable":
            name = name or json.loads(data)["name"]
            key = uuid.uuid4().hex
            STATE["sessions"][key] = [bucket, name, bytearray(), query.get("ifGenerationMatch")]
            return self._answer(201, None, {"location": f"/session/{key}"})
        if query.get("uploadType") == "multipart":
            mark = re.search(r'boundary="?([^";]+)', self.headers["content-type"])[1].encode()
            metadata, media = (part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") for part in data.split(b"--" + mark)[1:3])
            name, data = name or json.loads(metadata)["name"], media
        self._store(bucket, name, data, query.get("ifGenerationMatch"))

    def _session(self, key, data):
        if key not in STATE["sessions"]:
            return self._refuse(404, "no session")
        bucket, name, held, condition = STATE["sessions"][key]
        if self.command == "DELETE":
            del STATE["sessions"][key]
            return self._answer(204, None)
        first, last, total = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", self.headers["content-range"]).groups()
        if first is not None:
            if int(first) > len(held):
                return self._refuse(400, "a hole")
            held += data[len(held) - int(first):]
        if total != "*" and len(held) == int(total):
            return self._store(bucket, name, bytes(held), condition)
        self.send_response_only(308, "Permanent Redirect")
        if held:
            self.send_header("range", f"bytes=0-{len(held) - 1}")
        self.send_header("content-length", "0")
        self.end_headers()

    def _store(self, bucket, name, data, condition):
        if condition == "0" and (bucket, name) in STATE["objects"]:
            return self._refuse(412, "it is there")
        generation = STATE["objects"].get((bucket, name), (0, b""))[0] + 1
        STATE["objects"][bucket, name] = (generation, data)
        self._answer(201, self._resource(bucket, name))

    @staticmethod
    def _resource(bucket, name):
        return {"bucket": bucket, "name": name, "generation": STATE["objects"][bucket, name][0]}

    def _refuse(self, status, words):
        self._answer(status, {"error": {"code": str(status), "message": {"text": words}}})

    def _answer(self, status, value, headers=None):
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response_only(status)
        for name, text in {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}.items():
            if status != 204 or name != "content-length":
                self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)


def start(buckets):
    STATE["buckets"] |= set(buckets)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Emulator)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    return {"base": base, "control": f"{base}/control"}
