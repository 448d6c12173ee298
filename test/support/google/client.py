"""For scripts: the server as a child process, and short ways to ask it."""

import base64
import contextlib
import http.client
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

MAIN = pathlib.Path(__file__).resolve().with_name("main.py")


class Google:
    """The server, and `told`, its line of JSON."""

    def __init__(self, *options):
        self._folder = tempfile.TemporaryDirectory(prefix="dockline-google-")
        self.process = subprocess.Popen([sys.executable, "-B", str(MAIN), "--folder", self._folder.name, *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told = json.loads(self.process.stdout.readline())
        self.token = None

    def stop(self):
        self.process.stdin.close()
        status = self.process.wait(30)
        self.process.stdout.close()
        left = list(pathlib.Path(self._folder.name).iterdir())
        self._folder.cleanup()
        return status, left

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop()

    def ask(self, method, target, body=None, headers=None, token=True):
        """Status, headers and body of an answer; a target without a host is at the server."""
        url = urllib.parse.urlsplit(target if "://" in target else self.told["base"] + target)
        if url.scheme == "https":
            trust = ssl.create_default_context(cafile=self.told["ca"])
            connection = http.client.HTTPSConnection(url.netloc, timeout=60, context=trust)
        else:
            connection = http.client.HTTPConnection(url.netloc, timeout=60)
        headers = dict(headers or {})
        if token and self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if isinstance(body, (dict, list)):
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        try:
            connection.request(method, url.path + (f"?{url.query}" if url.query else ""), body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def control(self, what, body=None, method=None):
        """Orders something, or asks for what is told there."""
        method = method or ("GET" if body is None else "POST")
        status, _, answer = self.ask(method, f"{self.told['control']}/{what}", body, token=False)
        if status != 200:
            raise ValueError(answer.decode())
        return json.loads(answer or b"null")

    def key_file(self, name="service_account"):
        return json.loads(pathlib.Path(self.told["credentials"][name]).read_text())

    def jwt(self, key=None, algorithm="RS256", **changes):
        """An assertion for a token of this key file's account. A claim that is None is left out."""
        account = self.key_file()
        now = int(time.time())
        claims = {"iss": account["client_email"], "aud": account["token_uri"], "iat": now, "exp": now + 3600,
                  "scope": "https://www.googleapis.com/auth/cloud-platform"} | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        text = ".".join(encoded(json.dumps(part).encode()) for part in (
            {"alg": algorithm, "typ": "JWT", "kid": account["private_key_id"]}, claims))
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(key or account["private_key"])
            file.flush()
            signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", file.name], input=text.encode(), capture_output=True,
                                       check=True).stdout
        return f"{text}.{encoded(signature)}"

    def log_in(self):
        """Takes a token for its own requests."""
        status, _, answer = form(self, "/token", grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=self.jwt())
        if status != 200:
            raise ValueError(answer.decode())
        self.token = json.loads(answer)["access_token"]
        return self


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def form(google, target, **fields):
    return google.ask("POST", target, urllib.parse.urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"}, token=False)
