"""A request and an answer, and the errors that Google's services answer with."""

import json


class Answer:
    def __init__(self, status=200, body=b"", headers=None, content_type=None, pieces=None, size=None):
        """`pieces`, with their `size`, instead of a `body` that is better not held whole."""
        self.status, self.body, self.headers = status, body, dict(headers or {})
        self.pieces, self.size = pieces, size
        if content_type:
            self.headers["Content-Type"] = content_type


def as_json(value, status=200, headers=None):
    return Answer(status, json.dumps(value, indent=1).encode() + b"\n", headers, "application/json; charset=UTF-8")


def as_text(text, status=200, headers=None):
    return Answer(status, text.encode(), headers, "text/plain; charset=utf-8")


class Refusal(Exception):
    """Ends a handler with this answer."""

    def __init__(self, answer):
        super().__init__(answer.status)
        self.answer = answer


STORAGE_REASONS = {400: "invalid", 401: "authError", 403: "forbidden", 404: "notFound", 408: "requestTimeout", 409: "conflict",
                   410: "gone", 411: "lengthRequired", 412: "conditionNotMet", 416: "requestedRangeNotSatisfiable",
                   429: "rateLimitExceeded", 500: "backendError", 502: "badGateway", 503: "backendError", 504: "gatewayTimeout"}
RPC_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS",
              412: "FAILED_PRECONDITION", 429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 501: "UNIMPLEMENTED",
              503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}


def storage_error(status, message, reason=None, location=None, headers=None):
    """The JSON API of Cloud Storage: error.errors[].reason."""
    one = {"message": message, "domain": "global", "reason": reason or STORAGE_REASONS.get(status, "internalError")}
    if location:
        one |= {"locationType": "header", "location": location}
    return as_json({"error": {"code": status, "message": message, "errors": [one]}}, status, headers)


def rpc_error(status, message, details=None, headers=None):
    """google.rpc.Status, as all newer services have it: error.status."""
    error = {"code": status, "message": message, "status": RPC_STATUS.get(status, "UNKNOWN")}
    if details:
        error["details"] = details
    return as_json({"error": error}, status, headers)


def oauth_error(error, description=None, status=400, **more):
    body = {"error": error} | ({"error_description": description} if description else {}) | more
    return as_json(body, status, {"Cache-Control": "no-cache, no-store, max-age=0, must-revalidate"})


def error_for(path, status, message):
    """In the words of the service that the path belongs to."""
    if path.startswith(("/storage/", "/download/")):
        return storage_error(status, message)
    if path.startswith("/upload/"):
        return as_text(message, status) if status in (400, 410, 503) else storage_error(status, message)
    if path in ("/token", "/v1/token"):
        return oauth_error("internal_failure" if status >= 500 else "invalid_request", message, status)
    if path.startswith("/v1/"):
        return rpc_error(status, message)
    return as_text(message, status)


def drop(mapping, *keys):
    return {key: value for key, value in mapping.items() if key not in keys}
