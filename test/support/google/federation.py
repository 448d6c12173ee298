"""sts.googleapis.com: access tokens for tokens of others; and a place where one of those is had by URL."""

import base64
import hashlib
import hmac
import json
import re
import urllib.parse

from accounts import CLOUD_PLATFORM
from messages import as_json, as_text, oauth_error, rpc_error
from metadata import ACCESS_KEY, SECRET_KEY, SESSION
from tokens import form_of

TYPES = "urn:ietf:params:oauth:token-type:"
AWS_REQUEST = "urn:ietf:params:aws:token-type:aws4_request"
PROVIDER = re.compile(r"//iam\.googleapis\.com/(projects/\d+/locations/global/workloadIdentityPools|"
                      r"locations/global/workforcePools)/[^/]+/providers/[^/]+")


class Federation:
    def __init__(self, google, accounts):
        self._accounts = accounts
        google.route("POST", "/v1/token", self._exchange)
        google.route("GET", "/subject-token", self._subject)
        google.route("POST", "/v1/oauthtoken", self._refresh)
        google.route("GET", r"/v1/projects/(\d+)", self._project)
        self._workforce = "workforce-1"

    @staticmethod
    def _subject(request):
        if request.headers.get("X-Subject") != "yes":
            return as_text("Forbidden", 403)
        return as_json({"id_token": "subject-token-good", "other": 1})

    def _refresh(self, request):
        """A workforce's user: each refresh token is good once, and its answer brings the next one."""
        form = form_of(request) or {}
        known = f"{self._accounts.client_id}:{self._accounts.client_secret}".encode()
        if request.headers.get("Authorization") != "Basic " + base64.b64encode(known).decode():
            return oauth_error("invalid_client", "The OAuth client was not found.", 401)
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != self._workforce:
            return oauth_error("invalid_grant", "Token has been used.")
        name, number = self._workforce.split("-")
        self._workforce = f"{name}-{int(number) + 1}"
        return as_json(self._accounts.token_answer("federated", [CLOUD_PLATFORM], refresh_token=self._workforce))

    def _project(self, request, number):
        """Resource Manager."""
        self._accounts.caller(request, "cloudresourcemanager")
        if number != self._accounts.number:
            return rpc_error(403, "The caller does not have permission")
        return as_json({"projectNumber": number, "projectId": self._accounts.project, "lifecycleState": "ACTIVE",
                        "name": self._accounts.project, "createTime": "2026-01-01T00:00:00.000Z"})

    def _exchange(self, request):
        form = form_of(request)
        if form is None:
            return oauth_error("invalid_request", "The request is not a form.")
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange":
            return oauth_error("unsupported_grant_type", "Grant type is not supported.")
        if form.get("requested_token_type") != TYPES + "access_token":
            return oauth_error("invalid_request", "Invalid value for \"requested_token_type\".")
        audience = form.get("audience", "")
        if not PROVIDER.fullmatch(audience):
            return oauth_error("invalid_request", 'Invalid value for "audience". This value should be the full resource name of the '
                                                  'Identity Provider.')
        if not form.get("scope"):
            return oauth_error("invalid_scope", "Scope is missing.")
        kind, token = form.get("subject_token_type", ""), form.get("subject_token", "")
        refusal = self._refusal(kind, token, audience)
        if refusal:
            return oauth_error("invalid_grant", refusal)
        if "workforcePools" in audience and not self._names_project(form):
            return oauth_error("invalid_request", "The userProject is missing.")
        return as_json(self._accounts.token_answer("federated", form["scope"].split(), issued_token_type=TYPES + "access_token"))

    @staticmethod
    def _names_project(form):
        basic = json.loads(urllib.parse.unquote(form.get("options", "")) or "{}")
        return bool(basic.get("userProject"))

    @staticmethod
    def _refusal(kind, token, audience):
        if kind == AWS_REQUEST:
            return aws_refusal(token, audience)
        if kind not in (TYPES + "jwt", TYPES + "id_token", TYPES + "saml2"):
            return f"The subject token type {kind} is not supported."
        return None if token == "subject-token-good" else "The given credential is rejected by the attribute condition."


def aws_refusal(token, audience):
    """Why a signed GetCallerIdentity is not one of ours (AWS Signature Version 4), or None."""
    try:
        asked = json.loads(urllib.parse.unquote(token))
        headers = {one["key"].lower(): one["value"] for one in asked["headers"]}
        url = urllib.parse.urlsplit(asked["url"])
        words = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/sts/aws4_request, ?"
                             r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})", headers["authorization"])
        key, day, region, signed, signature = words.groups()
        query = "&".join(sorted(f"{urllib.parse.quote(name, '-_.~')}={urllib.parse.quote(value, '-_.~')}"
                                for name, value in urllib.parse.parse_qsl(url.query, keep_blank_values=True)))
        canonical = "\n".join((asked["method"], url.path or "/", query,
                               *(f"{name}:{headers[name].strip()}" for name in signed.split(";")), "", signed,
                               hashlib.sha256(asked.get("body", "").encode()).hexdigest()))
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        return f"Invalid subject token: {problem!r}"
    if headers.get("x-goog-cloud-target-resource") != audience or "x-goog-cloud-target-resource" not in signed.split(";"):
        return "The x-goog-cloud-target-resource header is missing, not signed, or not the audience."
    if key != ACCESS_KEY or headers.get("x-amz-security-token", SESSION) != SESSION or "host" not in signed.split(";"):
        return "The AWS credential is unknown."
    secret = f"AWS4{SECRET_KEY}".encode()
    for part in (day, region, "sts", "aws4_request"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    text = "\n".join(("AWS4-HMAC-SHA256", headers["x-amz-date"], f"{day}/{region}/sts/aws4_request",
                      hashlib.sha256(canonical.encode()).hexdigest()))
    right = hmac.digest(secret, text.encode(), "sha256").hex()
    return None if hmac.compare_digest(right, signature) else "The request signature we calculated does not match."
