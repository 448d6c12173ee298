#!/usr/bin/env python3
"""That the tests' Google keeps the rules of the real one, and does the faults that it is told to do."""

import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import time
import unittest
import urllib.parse

sys.dont_write_bytecode = True

import checksums
from client import Google, form

MIB = 1 << 20
CLOUD = "https://www.googleapis.com/auth/cloud-platform"
OBJECTS = "/upload/storage/v1/b/box/o"


class Served(unittest.TestCase):
    options = ("--bucket", "box")

    @classmethod
    def setUpClass(cls):
        cls.google = Google(*cls.options)
        cls.google.log_in()

    @classmethod
    def tearDownClass(cls):
        status, left = cls.google.stop()
        assert status == 0 and left == [], (status, left)

    def tearDown(self):
        self.google.control("faults", method="DELETE")
        self.google.control("deny", [])
        self.google.control("settings", {"clock_offset": 0, "token_lifetime": 3599, "conditions_at_start": False, "flavour": True,
                                         "expires_in_as_text": False, "log_bytes": 0, "build_denied": None})

    def ask(self, method, target, body=None, headers=None, expect=200):
        status, headers, answer = self.google.ask(method, target, body, headers)
        self.assertEqual(status, expect, answer)
        return headers, answer

    def json(self, method, target, body=None, headers=None, expect=200):
        return json.loads(self.ask(method, target, body, headers, expect)[1])

    def reason(self, method, target, status, body=None, headers=None):
        error = self.json(method, target, body, headers, status)["error"]
        self.assertEqual(error["code"], status)
        return error["errors"][0]["reason"] if "errors" in error else error["status"]


class ChecksumTest(unittest.TestCase):
    def test_known_values(self):
        for crc32c in (checksums.crc32c, checksums.computed_crc32c):
            self.assertEqual(crc32c(b"123456789"), 0xE3069283)
            self.assertEqual(crc32c(b""), 0)
            self.assertEqual(crc32c(bytes(32)), 0x8A9136AA)  # RFC 3720, B.4
            self.assertEqual(crc32c(b"\xff" * 32), 0x62A8AB43)

    def test_in_pieces(self):
        data = os.urandom(3 * MIB + 17)
        self.assertEqual(checksums.crc32c(data[12345:], checksums.crc32c(data[:12345])), checksums.computed_crc32c(data))


class TokenTest(Served):
    def refused(self, **changes):
        return self.exchange(400, assertion=self.google.jwt(**changes))["error_description"]

    def exchange(self, expect=200, **fields):
        status, _, answer = form(self.google, "/token", **({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"} | fields))
        self.assertEqual(status, expect, answer)
        return json.loads(answer)

    def refresh(self, expect, **changes):
        user = self.google.key_file("authorized_user")
        fields = {key: user[key] for key in ("client_id", "client_secret", "refresh_token")} | changes
        return self.exchange(expect, grant_type="refresh_token", **fields)

    def test_jwts(self):
        self.assertEqual(self.exchange(assertion=self.google.jwt())["expires_in"], 3599)
        now = int(time.time())
        self.assertIn("short-lived", self.refused(exp=now + 4000))
        self.assertIn("short-lived", self.refused(iat=now - 4000, exp=now - 400))
        self.assertIn("audience", self.refused(aud="https://somewhere.else/"))
        self.assertIn("account not found", self.refused(iss="nobody@nowhere"))
        self.assertIn("RS256", self.refused(algorithm="HS256"))
        self.assertIn("scope", self.refused(scope="something"))
        other = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(self.refused(key=other), "Invalid JWT Signature.")
        self.google.control("settings", {"clock_offset": -4000})
        self.assertIn("short-lived", self.refused())

    def test_refresh_tokens(self):
        self.assertEqual(self.refresh(200)["token_type"], "Bearer")
        self.assertEqual(self.refresh(400, refresh_token="revoked"),
                         {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
        self.assertEqual(self.refresh(400, refresh_token="rapt")["error_subtype"], "invalid_rapt")
        self.assertEqual(self.refresh(401, client_secret="no")["error"], "invalid_client")
        self.google.control("settings", {"expires_in_as_text": True})
        self.assertEqual(self.refresh(200)["expires_in"], "3599")

    def test_a_token_is_asked_for_and_ends(self):
        self.ask("GET", "/storage/v1/b/box")
        for token in ("wrong", ""):
            status, _, answer = self.google.ask("GET", "/storage/v1/b/box", headers={"Authorization": f"Bearer {token}"})
            self.assertEqual((status, json.loads(answer)["error"]["errors"][0]["reason"]), (401, "authError"))
        self.assertEqual(self.google.ask("GET", "/storage/v1/b/box", token=False)[0], 401)
        self.google.control("settings", {"token_lifetime": 0})
        token = self.refresh(200)["access_token"]
        self.assertEqual(self.google.ask("GET", "/storage/v1/b/box", headers={"Authorization": f"Bearer {token}"})[0], 401)

    def test_self_signed_tokens(self):
        account = self.google.key_file()["client_email"]
        builds = f"/v1/projects/{self.google.told['project']}/builds"
        for changes, storage, build in (({"aud": "https://storage.googleapis.com/", "scope": None, "sub": account}, 200, 401),
                                        ({"aud": None, "sub": account}, 200, 200),
                                        ({"aud": None, "scope": "https://www.googleapis.com/auth/devstorage.read_only", "sub": account}, 200, 403),
                                        ({"sub": account}, 401, 401), ({"aud": None}, 401, 401)):
            header = {"Authorization": "Bearer " + self.google.jwt(**changes)}
            self.assertEqual(self.google.ask("GET", "/storage/v1/b/box", headers=header)[0], storage, changes)
            self.assertEqual(self.google.ask("GET", builds, headers=header)[0], build, changes)

    def test_impersonation(self):
        to = "/v1/projects/-/serviceAccounts/{}:generateAccessToken"
        project = self.google.told["project"]
        deployer, middle = (f"{name}@{project}.iam.gserviceaccount.com" for name in ("deployer", "middle"))
        told = self.json("POST", to.format(deployer), {"scope": [CLOUD], "lifetime": "600s", "delegates": []})
        self.assertRegex(told["expireTime"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        chain = self.json("POST", to.format(deployer), {"scope": [CLOUD], "delegates": [f"projects/-/serviceAccounts/{middle}"]})
        self.assertEqual(self.google.ask("GET", "/storage/v1/b/box", headers={"Authorization": f"Bearer {chain['accessToken']}"})[0], 200)
        self.assertEqual(self.reason("POST", to.format("nobody@x"), 403, {"scope": [CLOUD]}), "PERMISSION_DENIED")
        self.assertEqual(self.reason("POST", to.format(deployer), 400, {"scope": [CLOUD], "lifetime": "7200s"}), "INVALID_ARGUMENT")

    def test_token_exchange(self):
        external = self.google.key_file("external_file")
        fields = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": external["audience"], "scope": CLOUD,
                  "requested_token_type": "urn:ietf:params:oauth:token-type:access_token", "subject_token": "subject-token-good",
                  "subject_token_type": external["subject_token_type"]}
        status, _, answer = form(self.google, "/v1/token", **fields)
        self.assertEqual(status, 200, answer)
        for change in ({"subject_token": "bad"}, {"audience": "x"}, {"requested_token_type": ""}, {"subject_token_type": "x"}):
            self.assertEqual(form(self.google, "/v1/token", **(fields | change))[0], 400, change)
        aws = fields | {"subject_token_type": "urn:ietf:params:aws:token-type:aws4_request"}
        self.assertEqual(form(self.google, "/v1/token", **aws)[0], 400)
        self.assertEqual(form(self.google, "/v1/token", **(aws | {"subject_token": signed(external["audience"])}))[0], 200)
        self.assertEqual(form(self.google, "/v1/token", **(aws | {"subject_token": signed(external["audience"] + "x")}))[0], 400)
        status, _, answer = self.google.ask("GET", "/subject-token", headers={"X-Subject": "yes"})
        self.assertEqual(json.loads(answer)["id_token"], "subject-token-good")

    def test_metadata_server(self):
        base = f"http://{self.google.told['metadata']}"
        path = base + "/computeMetadata/v1/instance/service-accounts/default/"
        flavour = {"Metadata-Flavor": "Google"}
        headers, answer = self.ask("GET", path + "token", headers=flavour)
        self.assertEqual(headers["Metadata-Flavor"], "Google")
        self.assertIn("access_token", json.loads(answer))
        self.ask("GET", path + "token", expect=403)
        self.assertIn(b"@developer", self.ask("GET", path + "email", headers=flavour)[1])
        self.assertEqual(self.ask("GET", base + "/computeMetadata/v1/project/project-id", headers=flavour)[1], b"dockline-test")
        self.ask("GET", base + "/computeMetadata/v1/universe/universe-domain", headers=flavour, expect=404)
        self.assertEqual(self.ask("GET", base + "/")[0]["Metadata-Flavor"], "Google")
        self.google.control("settings", {"flavour": False})
        self.assertNotIn("Metadata-Flavor", self.ask("GET", base + "/")[0])


def signed(audience):
    """A signed GetCallerIdentity, as an external account of Amazon's sends it."""
    from metadata import ACCESS_KEY, SECRET_KEY, SESSION
    day, now, region = "20260101", "20260101T000000Z", "eu-west-1"
    headers = {"host": f"sts.{region}.amazonaws.com", "x-amz-date": now, "x-amz-security-token": SESSION,
               "x-goog-cloud-target-resource": audience}
    names = ";".join(sorted(headers))
    canonical = "\n".join(("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15",
                           *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, hashlib.sha256(b"").hexdigest()))
    key = f"AWS4{SECRET_KEY}".encode()
    for part in (day, region, "sts", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    scope = f"{day}/{region}/sts/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, " \
                               f"Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"
    return urllib.parse.quote(json.dumps({
        "url": f"https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15", "method": "POST",
        "headers": [{"key": name, "value": value} for name, value in headers.items()]}))


class BucketTest(Served):
    def test_made_and_removed(self):
        self.assertEqual(self.reason("GET", "/storage/v1/b/new-box", 404), "notFound")
        made = self.json("POST", "/storage/v1/b?project=dockline-test", {"name": "new-box", "location": "europe-west1"})
        self.assertEqual((made["location"], made["projectNumber"]), ("EUROPE-WEST1", self.google.told["number"]))
        again = self.json("POST", "/storage/v1/b?project=dockline-test", {"name": "new-box"}, expect=409)
        self.assertIn("you already own it", again["error"]["message"])
        names = [bucket["name"] for bucket in self.json("GET", "/storage/v1/b?project=dockline-test&prefix=new")["items"]]
        self.assertEqual(names, ["new-box"])
        self.ask("DELETE", "/storage/v1/b/new-box", expect=204)

    def test_of_somebody_else(self):
        self.google.control("buckets", {"name": "taken"})
        told = self.json("POST", "/storage/v1/b?project=dockline-test", {"name": "taken"}, expect=409)
        self.assertIn("The requested bucket name is not available", told["error"]["message"])
        self.assertNotIn("items", self.json("GET", "/storage/v1/b?project=dockline-test&prefix=taken"))
        self.assertEqual(self.reason("GET", "/storage/v1/b/taken", 403), "forbidden")

    def test_made_by_somebody_else_meanwhile(self):
        self.google.control("buckets", {"name": "hidden-one", "open": True, "hidden": True})
        target = "/upload/storage/v1/b/hidden-one/o?uploadType=media&name=x"
        self.assertEqual(self.reason("POST", target, 404, b"x"), "notFound")
        self.json("POST", "/storage/v1/b?project=dockline-test", {"name": "hidden-one"}, expect=409)
        self.json("POST", target, b"x")
        self.assertEqual(self.google.control("buckets/hidden-one/objects"), ["x"])

    def test_names(self):
        for name in ("ab", "Upper", "x" * 64, "goog-x", "my-google-x", "1.2.3.4", "a..b", "-a-", "a_"):
            self.assertEqual(self.reason("POST", "/storage/v1/b?project=dockline-test", 400, {"name": name}), "invalid", name)

    def test_permissions_by_name(self):
        self.google.control("deny", [{"permission": r"storage\.buckets\..*"}])
        told = self.json("GET", "/storage/v1/b/box", expect=403)
        self.assertIn("Permission 'storage.buckets.get' denied on resource (or it may not exist).", told["error"]["message"])
        granted = self.json("GET", "/storage/v1/b/box/iam/testPermissions?permissions=storage.buckets.get&permissions=storage.objects.create")
        self.assertEqual(granted["permissions"], ["storage.objects.create"])
        self.ask("POST", OBJECTS + "?uploadType=media&name=still", b"x")

    def test_quota_project(self):
        self.ask("GET", "/storage/v1/b/box", headers={"x-goog-user-project": "dockline-test"})
        self.assertIn("serviceusage.services.use", str(self.json("GET", "/storage/v1/b/box", headers={"x-goog-user-project": "other"}, expect=403)))


class ObjectTest(Served):
    def test_simple_and_multipart(self):
        data = os.urandom(1000)
        told = self.json("POST", OBJECTS + "?uploadType=media&name=a%2Fb%20c", data)
        self.assertEqual((told["name"], told["size"], told["crc32c"]), ("a/b c", "1000", checksums.base64_of_crc32c(checksums.crc32c(data))))
        self.assertEqual(self.ask("GET", "/storage/v1/b/box/o/a%2Fb%20c?alt=media")[1], data)
        self.assertEqual(self.ask("GET", "/box/a/b%20c")[1], data)

        def parts(words, media=b"the media\r\n"):
            return b"--=x\r\nContent-Type: application/json\r\n\r\n" + json.dumps(words).encode() + \
                b"\r\n--=x\r\nContent-Type: text/x\r\n\r\n" + media + b"\r\n--=x--\r\n"
        kind = {"Content-Type": 'multipart/related; boundary="=x"'}
        told = self.json("POST", OBJECTS + "?uploadType=multipart", parts({"name": "two", "metadata": {"a": "b"}}), kind)
        self.assertEqual((told["size"], told["contentType"], told["metadata"]), ("11", "text/x", {"a": "b"}))
        wrong = parts({"name": "two", "crc32c": "AAAAAA=="})
        self.assertIn("doesn't match", self.json("POST", OBJECTS + "?uploadType=multipart", wrong, kind, 400)["error"]["message"])
        self.assertEqual(self.reason("POST", OBJECTS + "?uploadType=multipart", 400, b"--=x\r\nnothing", kind), "badContent")
        self.ask("DELETE", "/storage/v1/b/box/o/two", expect=204)
        self.assertEqual(self.reason("GET", "/storage/v1/b/box/o/two", 404), "notFound")

    def test_conditions_and_generations(self):
        first = self.json("POST", OBJECTS + "?uploadType=media&name=g&ifGenerationMatch=0", b"1")["generation"]
        self.assertEqual(self.reason("POST", OBJECTS + "?uploadType=media&name=g&ifGenerationMatch=0", 412, b"2"), "conditionNotMet")
        second = self.json("POST", OBJECTS + f"?uploadType=media&name=g&ifGenerationMatch={first}", b"2")["generation"]
        self.assertGreater(int(second), int(first))
        self.assertEqual(self.reason("GET", f"/storage/v1/b/box/o/g?generation={first}", 404), "notFound")
        self.ask("GET", f"/storage/v1/b/box/o/g?ifGenerationNotMatch={second}", expect=304)
        self.assertEqual(self.json("GET", "/storage/v1/b/box/o/g?fields=generation,size"), {"generation": second, "size": "1"})

    def test_ranges(self):
        self.ask("POST", OBJECTS + "?uploadType=media&name=r", b"0123456789")
        for asked, body in (("bytes=3-5", b"345"), ("bytes=7-", b"789"), ("bytes=-2", b"89"), ("bytes=8-99", b"89")):
            for place in ("/storage/v1/b/box/o/r?alt=media", "/box/r"):
                self.assertEqual(self.ask("GET", place, headers={"Range": asked}, expect=206)[1], body)
        headers, body = self.ask("GET", "/box/r", headers={"Range": "bytes=10-"}, expect=416)
        self.assertIn(b"<Code>InvalidRange</Code>", body)
        self.assertIn(b"NoSuchKey", self.ask("GET", "/box/none", expect=404)[1])

    def test_list(self):
        for name in ("l/a", "l/b", "l/c/d", "l/c/e"):
            self.ask("POST", OBJECTS + "?uploadType=media&name=" + urllib.parse.quote(name, safe=""), b"x")
        told = self.json("GET", "/storage/v1/b/box/o?prefix=l%2F&delimiter=%2F")
        self.assertEqual(([one["name"] for one in told["items"]], told["prefixes"]), (["l/a", "l/b"], ["l/c/"]))
        names, token = [], ""
        while True:
            page = self.json("GET", "/storage/v1/b/box/o?prefix=l%2F&maxResults=3&fields=items(name),nextPageToken" + token)
            names += page["items"]
            if "nextPageToken" not in page:
                break
            token = "&pageToken=" + page["nextPageToken"]
        self.assertEqual(names, [{"name": name} for name in ("l/a", "l/b", "l/c/d", "l/c/e")])


class ResumableTest(Served):
    def begin(self, name, body=None, query="", headers=None):
        target = f"{OBJECTS}?uploadType=resumable&name={name}{query}"
        return self.ask("POST", target, {} if body is None else body, headers)[0]["Location"]

    def put(self, place, data, asked, expect, headers=None):
        return self.ask("PUT", place, data, {"Content-Range": asked} | (headers or {}), expect)

    def test_chunks(self):
        data = os.urandom(MIB + 5)
        place = self.begin("chunks")
        self.assertNotIn("Range", self.put(place, b"", "bytes */*", 308)[0])
        self.assertEqual(self.put(place, data[:MIB // 2], f"bytes 0-{MIB // 2 - 1}/*", 308)[0]["Range"], f"bytes=0-{MIB // 2 - 1}")
        # What is there already is passed over.
        self.put(place, data[MIB // 4:MIB], f"bytes {MIB // 4}-{MIB - 1}/*", 308)
        self.assertEqual(self.put(place, b"", "bytes */*", 308, {"X-GUploader-No-308": "no"})[0]["Range"], f"bytes=0-{MIB - 1}")
        told = json.loads(self.put(place, data[MIB:], f"bytes {MIB}-{MIB + 4}/{MIB + 5}", 200,
                                   {"x-goog-hash": "crc32c=" + checksums.base64_of_crc32c(checksums.crc32c(data))})[1])
        self.assertEqual(told["size"], str(MIB + 5))
        self.assertEqual(json.loads(self.put(place, b"", "bytes */*", 200)[1])["generation"], told["generation"])
        self.assertEqual(self.ask("GET", "/box/chunks")[1], data)

    def test_rules(self):
        place = self.begin("rules")
        small = self.put(place, b"x" * 1000, "bytes 0-999/*", 400)[1]
        self.assertIn(b"required to be equal or greater than 262144", small)
        self.put(place, bytes(MIB), f"bytes 0-{MIB - 1}/*", 308)
        hole = self.put(place, bytes(MIB), f"bytes {2 * MIB}-{3 * MIB - 1}/*", 400)[1]
        self.assertIn(b"exceeds already uploaded size of 1048576 byte(s)", hole)
        self.put(place, bytes(MIB), "bytes what", 400)
        self.put(place, bytes(10), f"bytes {MIB}-{MIB + 19}/*", 400)
        self.put(place, b"", f"bytes */{MIB - 1}", 400)
        told = json.loads(self.put(place, b"", f"bytes */{MIB}", 200)[1])
        self.assertEqual(told["size"], str(MIB))
        empty = self.begin("empty")
        self.assertEqual(json.loads(self.put(empty, b"", "bytes */0", 200)[1])["size"], "0")

    def test_ends(self):
        place = self.begin("ends")
        self.ask("DELETE", place, expect=499)
        self.put(place, b"", "bytes */*", 404)
        for status in (404, 410):
            place = self.begin("ends")
            self.google.control("faults", {"method": "PUT", "nth": 2, "action": {"expire": status}})
            self.put(place, bytes(MIB), f"bytes 0-{MIB - 1}/*", 308)
            self.put(place, bytes(MIB), f"bytes {MIB}-{2 * MIB - 1}/*", status)
            self.put(place, b"", "bytes */*", status)
            self.google.control("faults", method="DELETE")

    def test_condition(self):
        self.ask("POST", OBJECTS + "?uploadType=media&name=there", b"x")
        place = self.begin("there", query="&ifGenerationMatch=0")
        self.put(place, b"y", "bytes 0-0/1", 412)
        self.google.control("settings", {"conditions_at_start": True})
        self.assertEqual(self.reason("POST", OBJECTS + "?uploadType=resumable&name=there&ifGenerationMatch=0", 412, {}), "conditionNotMet")

    def test_wrong_checksum(self):
        place = self.begin("sum")
        self.put(place, b"data", "bytes 0-3/4", 400, {"x-goog-hash": "crc32c=AAAAAA=="})
        self.assertEqual(self.reason("GET", "/storage/v1/b/box/o/sum", 404), "notFound")

    def test_announced_size(self):
        place = self.begin("size", headers={"X-Upload-Content-Length": str(MIB)})
        self.put(place, bytes(2 * MIB), f"bytes 0-{2 * MIB - 1}/*", 400)
        self.put(place, bytes(MIB), f"bytes 0-{MIB - 1}/{MIB}", 200)


class FaultTest(Served):
    def upload(self, name, data, action, **how):
        """Where a session is after one chunk with this fault."""
        place = self.ask("POST", f"{OBJECTS}?uploadType=resumable&name={name}", {})[0]["Location"]
        self.google.control("faults", {"method": "PUT", "nth": 1, "action": action} | how)
        headers = {"Content-Range": f"bytes 0-{len(data) - 1}/{len(data)}"}
        try:
            answer = self.google.ask("PUT", place, data, headers)
        except (ConnectionError, OSError):
            answer = None
        asked = self.google.ask("PUT", place, b"", {"Content-Range": "bytes */*"})
        return answer, asked[0], asked[1].get("Range")

    def test_actions(self):
        data = os.urandom(2 * MIB)
        answer, status, kept = self.upload("status", data, {"status": 503, "headers": {"Retry-After": "1"}})
        self.assertEqual((answer[0], answer[1]["Retry-After"], status, kept), (503, "1", 308, None))
        answer, status, kept = self.upload("before", data, {"reset": "before"})
        self.assertEqual((answer, status, kept), (None, 308, None))
        answer, status, kept = self.upload("during", data, {"reset": "during", "after": MIB + 1000})
        self.assertEqual((answer, status, kept), (None, 308, f"bytes=0-{MIB - 1}"))
        answer, status, kept = self.upload("after", data, {"reset": "after"})
        self.assertEqual((answer, status), (None, 200))
        answer, status, kept = self.upload("persist", data, {"persist": 256 << 10})
        self.assertEqual((answer[0], answer[1]["Range"], status), (308, "bytes=0-262143", 308))
        answer, status, kept = self.upload("none", data, {"persist": 0})
        self.assertEqual((answer[0], answer[1].get("Range")), (308, None))
        answer, status, kept = self.upload("corrupt", data, {"corrupt": MIB})
        self.assertNotEqual(json.loads(answer[2])["crc32c"], checksums.base64_of_crc32c(checksums.crc32c(data)))

    def test_answers(self):
        data = os.urandom(100000)
        self.ask("POST", OBJECTS + "?uploadType=media&name=down", data)
        self.google.control("faults", [{"path": "^/box/down", "nth": 1, "action": {"corrupt_answer": 500}},
                                       {"path": "^/box/down", "nth": 1, "action": {"cut_answer": 1000}},
                                       {"path": "^/box/down", "nth": 1, "action": {"delay": 0.2}}])
        self.assertEqual(sum(a != b for a, b in zip(self.ask("GET", "/box/down")[1], data)), 1)
        with self.assertRaises(OSError):
            self.ask("GET", "/box/down")
        began = time.monotonic()
        self.assertEqual(self.ask("GET", "/box/down")[1], data)
        self.assertGreater(time.monotonic() - began, 0.2)

    def test_stalls(self):
        self.google.control("faults", {"query": "name=stall", "nth": 1, "action": {"stall": 0.3, "after": 1000}})
        began = time.monotonic()
        self.ask("POST", OBJECTS + "?uploadType=media&name=stall", bytes(2000))
        self.assertGreater(time.monotonic() - began, 0.3)

    def test_every_and_times(self):
        self.google.control("faults", {"path": "box$", "every": 3, "times": 2, "action": {"status": 429}})
        seen = [self.google.ask("GET", "/storage/v1/b/box")[0] for _ in range(10)]
        self.assertEqual(seen, [200, 200, 429, 200, 200, 429, 200, 200, 200, 200])
        with self.assertRaises(ValueError):
            self.google.control("faults", {"action": {"explode": 1}})

    def test_actions_in_turn(self):
        self.google.control("faults", {"path": "box$", "every": 2, "action": [{"status": 503}, {"status": 429}]})
        seen = [self.google.ask("GET", "/storage/v1/b/box")[0] for _ in range(6)]
        self.assertEqual(seen, [200, 503, 200, 429, 200, 503])

    def test_log(self):
        self.google.control("log", method="DELETE")
        self.ask("POST", OBJECTS + "?uploadType=media&name=seen", bytes(1000))
        entry, = self.google.control("log")
        self.assertEqual((entry["method"], entry["status"], entry["content"]), ("POST", 200, 1000))


class BuildTest(Served):
    STEPS = [{"name": "gcr.io/cloud-builders/docker", "args": ["build", "."]}]
    BUILDS = "/v1/projects/dockline-test/locations/europe-west1/builds"

    def create(self, script, where=BUILDS, **build):
        self.google.control("scripts", [script])
        told = self.json("POST", where, {"steps": self.STEPS, "logsBucket": "gs://box/logs", **build})
        return told["metadata"]["build"]["id"], told["name"]

    def ended(self, key, where=BUILDS):
        end = time.monotonic() + 20
        seen = []
        while time.monotonic() < end:
            build = self.json("GET", f"{where}/{key}")
            if seen[-1:] != [build["status"]]:
                seen.append(build["status"])
            if build["status"] not in ("PENDING", "QUEUED", "WORKING"):
                return build, seen
            time.sleep(0.01)
        self.fail(seen)

    def test_states_and_log(self):
        text = "Step #0: gr\u00fc\u00df\n" * 20
        self.google.control("settings", {"log_bytes": 7})
        key, operation = self.create({"log": [text, 0.1, "DONE\n"], "results": {"images": [{"name": "x", "digest": "sha256:1"}]}})
        build, seen = self.ended(key)
        self.assertEqual(seen, ["PENDING", "QUEUED", "WORKING", "SUCCESS"])
        log = self.ask("GET", f"/box/logs/log-{key}.txt")[1].decode()
        self.assertEqual(log, f'starting build "{key}"\n\n{text}DONE\n')
        self.assertEqual(build["results"]["images"][0]["digest"], "sha256:1")
        self.assertTrue(self.json("GET", f"/v1/{operation}")["done"])
        self.assertEqual(self.reason("GET", f"/v1/projects/dockline-test/builds/{key}", 404), "NOT_FOUND")

    def test_failure_timeout_cancel_and_expiry(self):
        key, _ = self.create({"log": ["x"], "status": "FAILURE", "failureInfo": {"type": "USER_BUILD_STEP", "detail": "why"}})
        self.assertEqual(self.ended(key)[0]["failureInfo"]["detail"], "why")
        key, _ = self.create({"log": [30]}, timeout="0.3s")
        self.assertEqual(self.ended(key)[0]["status"], "TIMEOUT")
        key, _ = self.create({"log": [30]})
        time.sleep(0.2)
        self.assertEqual(self.json("POST", f"{self.BUILDS}/{key}:cancel", {})["status"], "CANCELLED")
        self.assertEqual(self.reason("POST", f"{self.BUILDS}/{key}:cancel", 400, {}), "INVALID_ARGUMENT")
        key, _ = self.create({"log": [], "queued_seconds": 30}, queueTtl="0.2s")
        self.assertEqual(self.ended(key)[0]["status"], "EXPIRED")

    def test_found_by_tag_and_retried(self):
        where = "/v1/projects/dockline-test/builds"
        key, _ = self.create({"log": []}, where, tags=["one-two", "other"])
        self.create({"log": []}, where, tags=["else"])
        found = self.json("GET", where + "?filter=" + urllib.parse.quote('tags="one-two" AND tags=other'))["builds"]
        self.assertEqual([build["id"] for build in found], [key])
        self.assertEqual(self.json("GET", where + "?filter=tags%3Dnone"), {})
        self.assertEqual(self.reason("GET", where + "?filter=what", 400), "INVALID_ARGUMENT")
        self.ended(key, where)
        self.google.control("scripts", [{"log": []}])
        again = self.json("POST", f"{where}/{key}:retry", {})["metadata"]["build"]
        self.assertNotEqual(again["id"], key)
        self.assertEqual(len(self.json("GET", where + "?pageSize=2")["builds"]), 2)

    def test_refusals(self):
        for words, change in (("Cannot find field", {"nothing": 1}), ("images[0]", {"images": [["x"]]}), ("no build steps", {"steps": []}),
                              ("service_account", {"serviceAccount": "projects/p/serviceAccounts/x"}),
                              ("machineType", {"options": {"machineType": "BIG"}}), ("Illegal duration", {"timeout": "20"}),
                              ("template \"NO\"", {"steps": [{"name": "x", "args": ["$NO"]}]}),
                              ("not matched", {"substitutions": {"_X": "1"}}), ("invalid build tag", {"tags": ["a b"]}),
                              ("could not parse reference", {"images": ["UPPER/x y"]})):
            error = self.json("POST", self.BUILDS, {"steps": self.STEPS} | change, expect=400)["error"]
            self.assertEqual(error["status"], "INVALID_ARGUMENT")
            self.assertIn(words, error["message"])
        self.assertEqual(self.reason("GET", "/v1/projects/other/builds", 403), "PERMISSION_DENIED")
        from build_rules import substituted
        self.assertEqual(substituted("$$HOME ${_A}b $PROJECT_ID", {"_A": "x", "PROJECT_ID": "p"}), "$HOME xb p")

    def test_private_log(self):
        key, _ = self.create({"log": ["x"]}, logsBucket=f"gs://{self.google.told['number']}.cloudbuild-logs.googleusercontent.com")
        self.ended(key)
        path = f"/{self.google.told['number']}.cloudbuild-logs.googleusercontent.com/log-{key}.txt"
        self.assertIn(b"storage.objects.get", self.ask("GET", path, expect=403)[1])


class TlsTest(Served):
    options = ("--tls", "--bucket", "box")

    def test_verified(self):
        self.assertTrue(self.google.told["base"].startswith("https://localhost:"))
        self.ask("POST", OBJECTS + "?uploadType=media&name=tls", bytes(MIB))
        self.assertEqual(len(self.ask("GET", "/box/tls")[1]), MIB)
        self.google.control("faults", {"path": "tls", "nth": 1, "action": {"reset": "after"}})
        with self.assertRaises(OSError):
            self.ask("GET", "/box/tls")


class QuirksTest(unittest.TestCase):
    def test_an_upload(self):
        with Google("--quirks", "--bucket", "box") as google:
            status, headers, _ = google.ask("POST", OBJECTS + "?uploadType=resumable&name=a%2Fb", {})
            self.assertEqual(status, 201)
            self.assertEqual(google.ask("PUT", headers["location"], b"12345", {"Content-Range": "bytes 0-4/*"})[0], 308)
            status, _, answer = google.ask("PUT", headers["location"], b"67", {"Content-Range": "bytes 5-6/7"})
            self.assertEqual((status, json.loads(answer)), (201, {"bucket": "box", "name": "a/b", "generation": 1}))
            self.assertEqual(google.ask("GET", "/box/a/b")[2], b"1234567")
            status, _, answer = google.ask("GET", "/storage/v1/b/box/o/none")
            self.assertEqual((status, json.loads(answer)["error"]), (404, {"code": "404", "message": {"text": "no object"}}))


class LeashTest(unittest.TestCase):
    def test_it_ends_with_its_input(self):
        google = Google("--tls")
        port = urllib.parse.urlsplit(google.told["base"]).port
        with socket.create_connection(("127.0.0.1", port)):
            status, left = google.stop()
        self.assertEqual((status, left), (0, []))
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", port)).close()


if __name__ == "__main__":
    unittest.main()
