"""Buckets and objects: what there is, and who may do what with it. Contents are files below one folder."""

import base64
import datetime
import os
import re
import threading
import time
from urllib.parse import quote

from checksums import Checksums
from messages import Refusal, storage_error

BUCKET_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?![.-])){1,220}[a-z0-9]")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def moment(when=None):
    when = time.time() if when is None else when
    return datetime.datetime.fromtimestamp(when, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def allowed_name(name):
    longest = 63 if "." not in name else 222
    return bool(BUCKET_NAME.fullmatch(name)) and len(name) <= longest and "google" not in name and not name.startswith("goog") and \
        not ADDRESS.fullmatch(name) and all(len(part) <= 63 for part in name.split("."))


class Content:
    """A file that grows, and its checksums."""

    def __init__(self, folder):
        self.path, self.size, self.sums = folder / f"{time.time_ns():x}-{os.urandom(4).hex()}", 0, Checksums()
        self._file = open(self.path, "wb", buffering=0)

    def add(self, data):
        self._file.write(data)
        self.size += len(data)
        self.sums.add(data)

    def drop(self):
        self._file.close()
        self.path.unlink(missing_ok=True)

    def read(self, start=0, end=None):
        """The bytes [start, end) in pieces."""
        end = self.size if end is None else end
        with open(self.path, "rb") as file:
            file.seek(start)
            while start < end:
                piece = file.read(min(1 << 18, end - start))
                if not piece:
                    return
                start += len(piece)
                yield piece


class Object:
    def __init__(self, bucket, name, content, words, generation):
        self.bucket, self.name, self.content, self.generation = bucket, name, content, generation
        self.words, self.metageneration = dict(words), 1
        self.created = self.updated = moment()

    def resource(self, base):
        path = f"/storage/v1/b/{self.bucket}/o/{quote(self.name, safe='')}"
        sums = self.content.sums
        return {
            "kind": "storage#object", "id": f"{self.bucket}/{self.name}/{self.generation}", "selfLink": base + path,
            "mediaLink": f"{base}/download{path}?generation={self.generation}&alt=media", "name": self.name, "bucket": self.bucket,
            "generation": str(self.generation), "metageneration": str(self.metageneration),
            "contentType": "application/octet-stream", "storageClass": "STANDARD", **self.words, "size": str(self.content.size),
            "md5Hash": sums.md5, "crc32c": sums.crc32c, "etag": self.etag, "timeCreated": self.created, "updated": self.updated,
            "timeStorageClassUpdated": self.created}

    @property
    def etag(self):
        return base64.b64encode(f"{self.generation}/{self.metageneration}".encode()).decode()


class Bucket:
    def __init__(self, name, project, number, words):
        self.name, self.project, self.number = name, project, number
        self.words, self.objects, self.metageneration = dict(words), {}, 1
        self.created = moment()

    def resource(self, base):
        defaults = {"location": "US", "storageClass": "STANDARD", "iamConfiguration": {"publicAccessPrevention": "inherited"}}
        words = defaults | self.words
        words["location"] = words["location"].upper()
        words["locationType"] = "multi-region" if words["location"] in ("US", "EU", "ASIA") else "region"
        words = {key: value for key, value in words.items() if key not in ("open", "hidden")}
        return {"kind": "storage#bucket", "id": self.name, "selfLink": f"{base}/storage/v1/b/{self.name}", **words,
                "name": self.name, "projectNumber": self.number, "metageneration": str(self.metageneration),
                "timeCreated": self.created, "updated": self.created, "etag": "CAE="}


class Store:
    def __init__(self, folder, project, number):
        self.folder, self.project, self.number = folder, project, number
        folder.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self.buckets, self.denied = {}, []
        self._generation = int(time.time() * 1e6)
        # Cloud Build's own, which only a project's owners may read.
        self.private_logs = f"{number}.cloudbuild-logs.googleusercontent.com"
        self.add_bucket(self.private_logs, "google-internal", {})

    def add_bucket(self, name, project, words):
        number = self.number if project == self.project else "999999999999"
        with self.lock:
            self.buckets[name] = Bucket(name, project, number, words)
            return self.buckets[name]

    def content(self):
        return Content(self.folder)

    def next_generation(self):
        with self.lock:
            self._generation = max(self._generation + 1, int(time.time() * 1e6))
            return self._generation

    # --- who may

    def require(self, principal, permission, bucket, name=None):
        """Refuses what the principal may not do, in Google's words."""
        with self.lock:
            known = self.buckets.get(bucket)
            resource = bucket if name is None else f"{bucket}/{name}"
            denied = any(re.fullmatch(rule.get("permission", ".*"), permission) and re.search(rule.get("resource", ""), resource)
                         for rule in self.denied)
            if known and known.project != self.project and not known.words.keys() & {"open", "hidden"}:
                denied = True
        if denied:
            what = "bucket" if name is None else "object"
            raise Refusal(storage_error(
                403, f"{principal or 'Anonymous caller'} does not have {permission} access to the Google Cloud Storage {what}. "
                     f"Permission '{permission}' denied on resource (or it may not exist).", "forbidden"))

    def bucket(self, principal, permission, name, object_name=None):
        self.require(principal, permission, name, object_name)
        with self.lock:
            if name not in self.buckets or self.buckets[name].words.get("hidden"):
                raise Refusal(storage_error(404, "The specified bucket does not exist."))
            return self.buckets[name]

    def object(self, bucket, name, generation=None):
        found = bucket.objects.get(name)
        if found is None or generation is not None and str(found.generation) != generation:
            raise Refusal(storage_error(404, f"No such object: {bucket.name}/{name}"))
        return found

    # --- objects

    def put(self, bucket, name, content, words, query=()):
        """The new object, unless the query's conditions say no."""
        with self.lock:
            if self.buckets.get(bucket.name) is not bucket:
                raise Refusal(storage_error(404, "The specified bucket does not exist."))
            check_conditions(bucket.objects.get(name), dict(query))
            old = bucket.objects.get(name)
            bucket.objects[name] = made = Object(bucket.name, name, content, words, self.next_generation())
            if old:
                old.content.drop()
            return made

    def append(self, bucket_name, name, data):
        """What Cloud Build does with its log: the object is made anew with more at its end. False if there is no such bucket."""
        with self.lock:
            bucket = self.buckets.get(bucket_name)
            if bucket is None:
                return False
            found = bucket.objects.get(name)
            if found is None:
                found = bucket.objects[name] = Object(bucket_name, name, self.content(), {"contentType": "text/plain"}, 0)
            found.content.add(data)
            found.generation, found.updated = self.next_generation(), moment()
            return True


def check_conditions(found, query):
    generation = found.generation if found else 0
    metageneration = found.metageneration if found else 0
    for name, is_now in (("ifGenerationMatch", generation), ("ifMetagenerationMatch", metageneration)):
        if name in query and query[name] != str(is_now):
            raise Refusal(storage_error(412, "At least one of the pre-conditions you specified did not hold.", "conditionNotMet",
                                        "If-Match"))
    for name, is_now in (("ifGenerationNotMatch", generation), ("ifMetagenerationNotMatch", metageneration)):
        if name in query and query[name] == str(is_now):
            raise Refusal(storage_error(304, "Not Modified", "notModified"))
