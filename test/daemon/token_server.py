"""A server that gives tokens for a registry, as the one of the distribution project takes them (token and oauth)."""

import base64
import contextlib
import http.server
import json
import pathlib
import secrets
import subprocess
import threading
import time
import urllib.parse


def _base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed_token(key, service, user, scopes, seconds=300):
    """`key` is the path of the key and the certificate, without ".key" and ".pem"; a scope is "repository:NAME:pull,push"."""
    certificate = "".join(pathlib.Path(key + ".pem").read_text().split("-----")[2].split())
    now = int(time.time())
    access = []
    for scope in scopes:
        kind, rest = scope.split(":", 1)
        what, actions = rest.rsplit(":", 1)
        access.append({"type": kind, "name": what, "actions": actions.split(",")})
    head = {"typ": "JWT", "alg": "RS256", "x5c": [certificate]}
    claims = {"iss": "tokens", "sub": user, "aud": service, "iat": now, "nbf": now - 10, "exp": now + seconds,
              "jti": secrets.token_hex(8), "access": access}
    text = ".".join(_base64url(json.dumps(part).encode()) for part in (head, claims))
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key + ".key"], input=text.encode(),
                               stdout=subprocess.PIPE, check=True).stdout
    return f"{text}.{_base64url(signature)}"


@contextlib.contextmanager
def token_server(port, key, service, user, password):
    """Serves while the block runs, which gets what was asked: the method and the fields of each request."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, status, body):
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self):
            self.give(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def do_GET(self):
            self.give(urllib.parse.urlsplit(self.path).query)

        def give(self, form):
            fields = urllib.parse.parse_qs(form)
            asked.append((self.command, fields))
            basic = base64.b64encode(f"{user}:{password}".encode()).decode()
            known = (self.headers.get("Authorization") == "Basic " + basic if self.command == "GET" else
                     fields.get("username") == [user] and fields.get("password") == [password])
            if not known:
                self.answer(401, {"details": "incorrect username or password"})
                return
            scopes = [one for text in fields.get("scope", []) for one in text.split()]
            token = signed_token(key, service, user, scopes)
            self.answer(200, {"token": token, "access_token": token, "expires_in": 300})

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
