"""The metadata server of a machine at Google, and the one of a machine at Amazon, which external accounts ask."""

import json
import secrets

from accounts import CLOUD_PLATFORM
from messages import as_json, as_text

ROOT = "/computeMetadata/v1"
# What an instance may ask for; its scopes are fixed when it is made.
ACCESS_KEY, SECRET_KEY, SESSION = "AKIDEXAMPLETESTKEY", "secret/key+of/the+test", "session-token-of-the-test"


class Metadata:
    def __init__(self, google, accounts):
        self._accounts, self._sessions = accounts, set()
        google.settings |= {"universe": None}
        self._settings = google.settings
        account = f"{ROOT}/instance/service-accounts/(?:default|{accounts.machine})"
        for path, answer in ((r"/?", lambda _: as_text("computeMetadata/\n")), (f"{account}/token", self._token),
                             (f"{account}/email", lambda _: as_text(accounts.machine)),
                             (f"{account}/scopes", lambda _: as_text(CLOUD_PLATFORM + "\n")),
                             (f"{account}/", self._account),
                             (f"{ROOT}/project/project-id", lambda _: as_text(accounts.project)),
                             (f"{ROOT}/project/numeric-project-id", lambda _: as_text(accounts.number)),
                             (f"{ROOT}/universe/universe-domain", self._universe)):
            google.route("GET", path, self._guarded(answer))
        google.route("PUT", "/latest/api/token", self._session)
        google.route("GET", "/latest/meta-data/placement/availability-zone", self._of_session(lambda _: as_text("eu-west-1b")))
        google.route("GET", "/latest/meta-data/iam/security-credentials/?", self._of_session(lambda _: as_text("test-role")))
        google.route("GET", "/latest/meta-data/iam/security-credentials/test-role", self._of_session(self._role))

    def _guarded(self, answer):
        def handler(request):
            flavour = {"Metadata-Flavor": "Google"} if self._settings["flavour"] else {}
            if request.path not in ("", "/") and request.headers.get("Metadata-Flavor") != "Google":
                return as_text("Missing Metadata-Flavor:Google header.", 403, flavour)
            if "X-Forwarded-For" in request.headers:
                return as_text("Forbidden", 403, flavour)
            told = answer(request)
            told.headers |= {"Server": "Metadata Server for VM", **flavour}
            return told
        return handler

    def _token(self, request):
        asked = request.query.get("scopes", "")
        scopes = asked.split(",") if asked else [CLOUD_PLATFORM]
        return as_json(self._accounts.token_answer(self._accounts.machine, scopes))

    def _account(self, request):
        if request.query.get("recursive") != "true":
            return as_text("aliases\nemail\nidentity\nscopes\ntoken\n")
        return as_json({"aliases": ["default"], "email": self._accounts.machine, "scopes": [CLOUD_PLATFORM]})

    def _universe(self, _):
        if self._settings["universe"] is None:
            return as_text("Not Found", 404)
        return as_text(self._settings["universe"])

    # --- Amazon's, version 2: everything needs a session's token

    def _session(self, request):
        if request.headers.get("X-aws-ec2-metadata-token-ttl-seconds") is None:
            return as_text("Bad Request", 400)
        session = secrets.token_urlsafe(24)
        self._sessions.add(session)
        return as_text(session)

    def _of_session(self, answer):
        def handler(request):
            if request.headers.get("X-aws-ec2-metadata-token") not in self._sessions:
                return as_text("Unauthorized", 401)
            return answer(request)
        return handler

    @staticmethod
    def _role(_):
        role = {"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY,
                "Token": SESSION, "Expiration": "2099-01-01T00:00:00Z"}
        return as_text(json.dumps(role))
