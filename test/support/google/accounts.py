"""Who there is: accounts, keys, refresh tokens, the access tokens given out, and the credential files that a client reads."""

import base64
import hashlib
import json
import re
import secrets
import threading
import time

from certificates import KeyPair
from messages import Refusal, rpc_error, storage_error

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
STORAGE_SCOPES = {CLOUD_PLATFORM, *(f"https://www.googleapis.com/auth/devstorage.{right}" for right in ("read_write", "full_control"))}
SKEW = 300
# What an external account may run: it tells its word as the token, and keeps its answer; "fail" is one that it has not.
PROGRAM = """#!/bin/sh
printf x >>"$0.runs"
if [ "$1" = fail ]; then
  printf '{"version": 1, "success": false, "code": "401", "message": "nobody is logged in"}'
  exit 0
fi
[ -n "$GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE" ] || exit 9
answer="{\\"version\\": 1, \\"success\\": true, \\"token_type\\": \\"$GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE\\",
  \\"id_token\\": \\"$1\\", \\"expiration_time\\": 4102444800}"
printf %s "$answer" >"$GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE"
printf %s "$answer"
"""


class BadToken(Exception):
    """Why a JWT is refused, in Google's words."""


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Accounts:
    def __init__(self, project, number):
        self._lock = threading.Lock()
        self.project, self.number = project, number
        self.builder, self.other = (f"{name}@{project}.iam.gserviceaccount.com" for name in ("builder", "deployer"))
        self.middle = f"middle@{project}.iam.gserviceaccount.com"
        self.machine = f"{number}-compute@developer.gserviceaccount.com"
        self.key_id, self.key = secrets.token_hex(20), KeyPair()
        self.client_id, self.client_secret = f"{number}-test.apps.googleusercontent.com", "client-secret"
        self.refresh_tokens = {"good": "user@example.com", "expired": None, "revoked": None, "rapt": None}
        # Who may impersonate whom.
        self.creators = {self.other: {self.builder, self.middle, "user@example.com", "federated"}, self.middle: {self.builder}}
        self._tokens = {}
        self.settings = {"token_lifetime": 3599, "expires_in_as_text": False, "clock_offset": 0, "anonymous": False}

    def now(self):
        return time.time() + self.settings["clock_offset"]

    def give(self, principal, scopes, lifetime=None):
        """A new access token, and its lifetime."""
        lifetime = self.settings["token_lifetime"] if lifetime is None else lifetime
        token = "ya29.c." + secrets.token_urlsafe(48)
        with self._lock:
            self._tokens[token] = (principal, set(scopes), self.now() + lifetime)
        return token, lifetime

    def token_answer(self, principal, scopes, **more):
        token, lifetime = self.give(principal, scopes)
        shown = str(lifetime) if self.settings["expires_in_as_text"] else lifetime
        return {"access_token": token, "expires_in": shown, "token_type": "Bearer"} | more

    def forget_tokens(self):
        """All tokens given out so far are refused from now on."""
        with self._lock:
            self._tokens.clear()

    def claims(self, jwt, audiences, self_signed=False):
        """The claims of a JWT with everything checked that Google checks."""
        try:
            head, body, signature = jwt.split(".")
            header, claims = json.loads(decoded(head)), json.loads(decoded(body))
            signature = decoded(signature)
        except (ValueError, UnicodeDecodeError):
            raise BadToken("Invalid JWT: malformed") from None
        if header.get("alg") != "RS256" or header.get("typ", "JWT") != "JWT":
            raise BadToken("Invalid JWT: only RS256 is supported")
        if claims.get("iss") != self.builder:
            raise BadToken("Invalid grant: account not found")
        if header.get("kid", self.key_id) != self.key_id or \
                not self.key.signed(signature, hashlib.sha256(f"{head}.{body}".encode()).digest()):
            raise BadToken("Invalid JWT Signature.")
        issued, until, now = claims.get("iat"), claims.get("exp"), self.now()
        if not isinstance(issued, int) or not isinstance(until, int) or issued > now + SKEW or until < now or \
                not 0 < until - issued <= 3600:
            raise BadToken("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                           "Check your iat and exp values in the JWT claim.")
        if self_signed:
            if claims.get("sub") != claims["iss"]:
                raise BadToken("Invalid JWT: sub is not iss")
            if ("aud" in claims) == ("scope" in claims):
                raise BadToken("Invalid JWT: either aud or scope")
        if "aud" in claims and claims["aud"] not in audiences or "aud" not in claims and not self_signed:
            raise BadToken("Invalid JWT: Failed audience check. The right audience is https://oauth2.googleapis.com/token")
        return claims

    def caller(self, request, service, scopes=frozenset({CLOUD_PLATFORM})):
        """Who sent this request; refuses it when nobody whom this service knows did. Anonymous is None."""
        refused = storage_error if service == "storage" else rpc_error
        header = request.headers.get("Authorization")
        if header is None:
            if self.settings["anonymous"]:
                return None
            if service == "storage":
                raise Refusal(storage_error(401, "Anonymous caller does not have storage access. Permission denied on resource "
                                                 "(or it may not exist).", "required", "Authorization"))
            raise Refusal(rpc_error(401, "Request is missing required authentication credential. Expected OAuth 2 access "
                                         "token, login cookie or other valid authentication credential."))
        scheme, _, token = header.partition(" ")
        with self._lock:
            known = self._tokens.get(token)
        if scheme.lower() == "bearer" and known and known[2] > self.now():
            principal, granted, _ = known
        elif scheme.lower() == "bearer" and token.count(".") == 2 and not token.startswith("ya29."):
            principal, granted = self._self_signed(request, token, service, refused, scopes)
        else:
            raise Refusal(self._unknown(refused))
        if not granted & scopes:
            words = "Provided scope(s) are not authorized" if service == "storage" else "Request had insufficient authentication scopes."
            raise Refusal(refused(403, words, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'}))
        return principal

    def _self_signed(self, request, token, service, refused, scopes):
        # An overridden endpoint changes where a request goes, not which service it is for.
        audiences = {f"https://{service}.googleapis.com/", f"https://{service}.googleapis.com", request.base + "/", request.base}
        try:
            claims = self.claims(token, audiences, self_signed=True)
        except BadToken as problem:
            answer = self._unknown(refused)
            answer.headers["X-Test-Reason"] = str(problem)
            raise Refusal(answer) from None
        return claims["iss"], set(claims["scope"].split()) if "scope" in claims else scopes

    @staticmethod
    def _unknown(refused):
        challenge = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'}
        if refused is storage_error:
            return storage_error(401, "Invalid Credentials", "authError", "Authorization", challenge)
        return rpc_error(401, "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
                              "other valid authentication credential.", headers=challenge)

    # --- what a client reads

    def write_files(self, folder, base, metadata):
        """Credential files of every type, by name."""
        folder.mkdir(parents=True, exist_ok=True)
        service_account = {
            "type": "service_account", "project_id": self.project, "private_key_id": self.key_id, "private_key": self.key.private,
            "client_email": self.builder, "client_id": "100000000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": f"{base}/token",
            "universe_domain": "googleapis.com"}
        user = {"type": "authorized_user", "client_id": self.client_id, "client_secret": self.client_secret,
                "refresh_token": "good", "quota_project_id": self.project, "token_uri": f"{base}/token"}
        subject = folder / "subject-token"
        subject.write_text("subject-token-good")
        provider = f"//iam.googleapis.com/projects/{self.number}/locations/global/workloadIdentityPools/pool/providers/provider"
        external = {"type": "external_account", "audience": provider, "token_url": f"{base}/v1/token",
                    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": {"file": str(subject)}}
        program = folder / "subject-program"
        program.write_text(PROGRAM)
        program.chmod(0o755)
        impersonation = f"{base}/v1/projects/-/serviceAccounts/{self.other}:generateAccessToken"
        files = {
            "service_account": service_account, "authorized_user": user,
            "authorized_user_expired": user | {"refresh_token": "expired"},
            "authorized_user_revoked": user | {"refresh_token": "revoked"},
            "authorized_user_rapt": user | {"refresh_token": "rapt"},
            "workforce_user": {"type": "external_account_authorized_user", "client_id": self.client_id,
                               "client_secret": self.client_secret, "refresh_token": "workforce-1",
                               "token_url": f"{base}/v1/oauthtoken"},
            "external_file": external,
            "external_url": external | {"credential_source": {
                "url": f"{base}/subject-token", "headers": {"X-Subject": "yes"},
                "format": {"type": "json", "subject_token_field_name": "id_token"}}},
            "external_program": external | {"credential_source": {"executable": {
                "command": f"{program} subject-token-good", "timeout_millis": 5000, "output_file": f"{program}.answer"}}},
            "external_aws": external | {
                "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
                "credential_source": {
                    "environment_id": "aws1", "region_url": f"http://{metadata}/latest/meta-data/placement/availability-zone",
                    "url": f"http://{metadata}/latest/meta-data/iam/security-credentials",
                    "imdsv2_session_token_url": f"http://{metadata}/latest/api/token",
                    "regional_cred_verification_url":
                        "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"}},
            "external_impersonated": external | {"service_account_impersonation_url": impersonation},
            "impersonated": {"type": "impersonated_service_account", "source_credentials": service_account,
                             "service_account_impersonation_url": impersonation, "delegates": []},
            "impersonated_chain": {"type": "impersonated_service_account", "source_credentials": service_account,
                                   "service_account_impersonation_url": impersonation, "delegates": [self.middle]},
            "unknown_type": {"type": "something_new"},
        }
        paths = {}
        for name, words in files.items():
            paths[name] = str(folder / f"{name}.json")
            (folder / f"{name}.json").write_text(json.dumps(words, indent=2) + "\n")
        return paths


def email_of(resource):
    """The account in `projects/-/serviceAccounts/EMAIL` or a bare EMAIL."""
    return re.sub(r"^projects/[^/]+/serviceAccounts/", "", resource)
