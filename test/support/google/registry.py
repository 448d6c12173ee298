"""What stands for gcr.io: images that builds pushed, served by the registry API, and as they were saved from the engine."""

import gzip
import hashlib
import json
import shutil
import tarfile
import threading

from messages import Answer, as_json, as_text

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
CONFIG = "application/vnd.docker.container.image.v1+json"
REPOSITORY = r"/v2/([a-z0-9][a-z0-9._/-]*)"


def parts_of(reference):
    """The repository without its host, and the tag."""
    path, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:
        path, tag = reference, "latest"
    first, slash, rest = path.partition("/")
    return (rest if slash and ("." in first or ":" in first or first == "localhost") else path), tag


class Registry:
    def __init__(self, google, folder):
        self._folder, self._lock = folder, threading.Lock()
        (folder / "blobs").mkdir(parents=True)
        (folder / "saved").mkdir()
        self._manifests, self._saved = {}, {}
        # `pull_token`: manifests only for those who come with it, which /token/pull gives to everybody; `pull_realm` in its place.
        google.settings |= {"push_denied": None, "pull_token": None, "pull_realm": None}
        self.settings = google.settings
        for method in ("GET", "HEAD"):
            google.route(method, r"/v2/", lambda _: as_json({}, headers={"Docker-Distribution-Api-Version": "registry/2.0"}))
            google.route(method, REPOSITORY + "/manifests/([^/]+)", self._manifest)
            google.route(method, REPOSITORY + "/blobs/sha256:([0-9a-f]{64})", self._blob)
        google.route("GET", REPOSITORY + "/tags/list", self._tags)
        google.route("GET", "/token/pull", lambda _: as_json({"token": self.settings["pull_token"]}))
        google.route("GET", "/control/images", self._image)
        google.route("POST", "/control/images", self._add_image)

    def push(self, reference, archive):
        """Takes what `docker save` wrote, which is moved away. Its digest, and the sizes of manifest and layers."""
        repository, tag = parts_of(reference)
        with tarfile.open(archive) as saved:
            about = json.load(saved.extractfile("manifest.json"))[0]
            config = self._add([saved.extractfile(about["Config"]).read()], CONFIG)
            layers = [self._add(self._compressed(saved.extractfile(layer)), LAYER) for layer in about["Layers"]]
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}, indent=3).encode()
        digest = "sha256:" + hashlib.sha256(manifest).hexdigest()
        kept = self._folder / "saved" / digest.removeprefix("sha256:")
        shutil.move(archive, kept)
        with self._lock:
            self._manifests[repository, tag] = self._manifests[repository, digest] = manifest
            self._saved[repository, tag] = self._saved[repository, digest] = kept
        return digest, len(manifest), layers

    def find(self, reference):
        """The archive and the digest of an image that was pushed by this name, or None."""
        repository, at, digest = reference.partition("@")
        key = (parts_of(repository)[0], digest) if at else parts_of(reference)
        with self._lock:
            if key not in self._saved:
                return None
            return self._saved[key], "sha256:" + hashlib.sha256(self._manifests[key]).hexdigest()

    @staticmethod
    def _compressed(layer):
        # The same bytes for the same layer: no time, no name.
        data = layer.read()
        yield data if data[:2] == b"\x1f\x8b" else gzip.compress(data, 1, mtime=0)

    def _add(self, pieces, kind):
        data = b"".join(pieces)
        name = hashlib.sha256(data).hexdigest()
        (self._folder / "blobs" / name).write_bytes(data)
        return {"mediaType": kind, "size": len(data), "digest": f"sha256:{name}"}

    def _manifest(self, request, repository, reference):
        token = self.settings["pull_token"]
        if token and request.headers.get("Authorization") != f"Bearer {token}":
            realm = self.settings["pull_realm"] or f"http://{request.headers['Host']}/token/pull"
            challenge = f'Bearer realm="{realm}",service="registry",scope="repository:{repository}:pull"'
            return as_json({"errors": [{"code": "UNAUTHORIZED"}]}, 401, headers={"WWW-Authenticate": challenge})
        with self._lock:
            manifest = self._manifests.get((repository, reference))
        if manifest is None:
            return self._unknown("MANIFEST_UNKNOWN", f"Failed to fetch \"{reference}\"")
        digest = "sha256:" + hashlib.sha256(manifest).hexdigest()
        return Answer(200, manifest, {"Docker-Content-Digest": digest, "Content-Type": MANIFEST})

    def _blob(self, _, repository, name):
        path = self._folder / "blobs" / name
        if not path.exists():
            return self._unknown("BLOB_UNKNOWN", f"blob unknown to {repository}")
        return Answer(200, path.read_bytes(), {"Docker-Content-Digest": f"sha256:{name}"}, "application/octet-stream")

    def _tags(self, _, repository):
        with self._lock:
            tags = sorted(tag for name, tag in self._manifests if name == repository and ":" not in tag)
        return as_json({"name": repository, "tags": tags}) if tags else self._unknown("NAME_UNKNOWN", "repository not known")

    @staticmethod
    def _unknown(code, message):
        return as_json({"errors": [{"code": code, "message": message}]}, 404)

    def _add_image(self, request):
        """`{"name": REFERENCE}`: an image of no layers, as if it had been pushed."""
        repository, tag = parts_of(json.loads(request.body())["name"])
        with self._lock:
            self._manifests[repository, tag] = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}).encode()
        return as_json({})

    def _image(self, request):
        """`?name=REFERENCE`: what `docker load` takes. Without a name: all names."""
        if "name" not in request.query:
            with self._lock:
                return as_json(sorted(f"{repository}:{tag}" for repository, tag in self._saved if ":" not in tag))
        found = self.find(request.query["name"])
        if found is None:
            return as_text("no such image", 404)
        path, digest = found
        return Answer(200, headers={"Docker-Content-Digest": digest}, content_type="application/x-tar", pieces=file_pieces(path),
                      size=path.stat().st_size)


def file_pieces(path):
    with open(path, "rb") as file:
        while piece := file.read(1 << 18):
            yield piece
