"""oauth2.googleapis.com and iamcredentials.googleapis.com: access tokens for keys, for refresh tokens, and for others."""

import datetime
import json
import urllib.parse

from accounts import CLOUD_PLATFORM, BadToken, email_of
from messages import as_json, oauth_error, rpc_error

FORM = "application/x-www-form-urlencoded"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
KNOWN_SCOPES = ("https://www.googleapis.com/auth/",)


def form_of(request):
    """The fields of a form, or None for anything else."""
    if not request.headers.get("Content-Type", "").startswith(FORM):
        return None
    return dict(urllib.parse.parse_qsl(request.body().decode(), keep_blank_values=True))


class Tokens:
    def __init__(self, google, accounts):
        self._accounts = accounts
        google.route("POST", "/token", self._token)
        google.route("POST", r"/v1/projects/-/serviceAccounts/([^/:]+):generateAccessToken", self._impersonate)
        google.route("POST", "/control/forget_tokens", lambda _: accounts.forget_tokens() or as_json({}))

    def _token(self, request):
        form = form_of(request)
        if form is None:
            return oauth_error("invalid_request", "Bad Request")
        grant = form.get("grant_type")
        if grant == JWT_BEARER:
            return self._for_jwt(request, form)
        if grant == "refresh_token":
            return self._for_refresh_token(form)
        return oauth_error("unsupported_grant_type", f"Invalid grant_type: {grant}")

    def _for_jwt(self, request, form):
        # A key file's token_uri may be this server, and so may the audience then.
        audiences = {"https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token",
                     "https://www.googleapis.com/oauth2/v4/token", f"{request.base}/token"}
        try:
            claims = self._accounts.claims(form.get("assertion", ""), audiences)
        except BadToken as problem:
            return oauth_error("invalid_grant", str(problem))
        scopes = claims.get("scope", "").split()
        if not scopes or not all(scope.startswith(KNOWN_SCOPES) for scope in scopes):
            return oauth_error("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        if claims.get("sub", claims["iss"]) != claims["iss"]:
            return oauth_error("unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or "
                                                      "client not authorized for any of the scopes requested.", 401)
        return as_json(self._accounts.token_answer(claims["iss"], scopes))

    def _for_refresh_token(self, form):
        known = self._accounts
        if form.get("client_id") != known.client_id:
            return oauth_error("invalid_client", "The OAuth client was not found.", 401)
        if form.get("client_secret") != known.client_secret:
            return oauth_error("invalid_client", "Unauthorized", 401)
        token = form.get("refresh_token", "")
        if token == "rapt":
            return oauth_error("invalid_grant", "reauth related error (invalid_rapt)", error_subtype="invalid_rapt",
                               error_uri="https://support.google.com/a/answer/9368756")
        if token not in known.refresh_tokens:
            return oauth_error("invalid_grant", "Bad Request")
        principal = known.refresh_tokens[token]
        if principal is None:
            return oauth_error("invalid_grant", "Token has been expired or revoked.")
        scopes = form.get("scope", CLOUD_PLATFORM).split()
        return as_json(known.token_answer(principal, scopes, scope=" ".join(scopes)))

    def _impersonate(self, request, target):
        scopes = {CLOUD_PLATFORM, "https://www.googleapis.com/auth/iam"}
        caller = self._accounts.caller(request, "iamcredentials", scopes)
        try:
            words = json.loads(request.body() or b"{}")
        except ValueError:
            return rpc_error(400, "Invalid JSON payload received.")
        unknown = set(words) - {"delegates", "scope", "lifetime"}
        if unknown:
            return rpc_error(400, f'Invalid JSON payload received. Unknown name "{unknown.pop()}": Cannot find field.')
        if not words.get("scope"):
            return rpc_error(400, "Request contains an invalid argument.")
        lifetime = float(words.get("lifetime", "3600s").removesuffix("s"))
        if not 0 < lifetime <= 3600:
            return rpc_error(400, "The lifetime must be in the range (0, 3600s].")
        # Each one of the chain has to be allowed to act as the next one.
        for account in [*map(email_of, words.get("delegates", [])), target]:
            if caller not in self._accounts.creators.get(account, ()):
                return rpc_error(403, "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
                                 [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED",
                                   "domain": "iam.googleapis.com", "metadata": {"permission": "iam.serviceAccounts.getAccessToken"}}])
            caller = account
        token, _ = self._accounts.give(target, words["scope"], lifetime)
        until = datetime.datetime.fromtimestamp(self._accounts.now() + lifetime, datetime.UTC)
        return as_json({"accessToken": token, "expireTime": until.strftime("%Y-%m-%dT%H:%M:%SZ")})
