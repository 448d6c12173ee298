#!/usr/bin/env python3
"""A Google of the tests' own, on this machine's loopback: tokens, the metadata server, Cloud Storage and Cloud Build.

    main.py --folder DIR [--tls] [--anonymous] [--quirks] [--docker unix://SOCKET] [--port-file FILE] …

Prints one line of JSON: the addresses, the credential files, with TLS the authority's certificate and a proxy. Ends when its standard input
is closed, and leaves nothing in DIR. Whoever may reach its ports may use it: it is for tests alone.

Tests order faults at /control/faults (see faults.py) and see at /control/log what was asked.
"""

import argparse
import ctypes
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile

# Nothing is written into the sources.
sys.dont_write_bytecode = True

import quirks
from accounts import Accounts
from certificates import make_authority
from cloud_build import CloudBuild
from federation import Federation
from metadata import Metadata
from proxy import Proxy
from registry import Registry
from runner import Engine
from server import Google, Port
from storage import Storage
from store import Store
from tokens import Tokens
from uploads import Uploads

PROJECT, NUMBER = "dockline-test", "123456789012"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path, help="where contents are kept while it runs")
    parser.add_argument("--tls", action="store_true", help="https, with a certificate of an authority of this run")
    parser.add_argument("--anonymous", action="store_true", help="requests without a token are taken, as emulators do")
    parser.add_argument("--quirks", action="store_true", help="another, smaller storage emulator instead, with other habits")
    parser.add_argument("--docker", help="the engine that runs builds: unix://SOCKET")
    parser.add_argument("--concurrency", type=int, default=10, help="builds that run at once; others stay QUEUED")
    parser.add_argument("--bucket", action="append", default=[], help="a bucket that is there from the start")
    parser.add_argument("--project", default=PROJECT)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", type=pathlib.Path, help="where the line of JSON is written as well")
    return parser.parse_args()


def services(options, folder):
    """The server's ports, and what a client has to know of it."""
    google = Google()
    accounts = Accounts(options.project, NUMBER)
    google.settings |= accounts.settings | {"anonymous": options.anonymous}
    accounts.settings = google.settings
    store = Store(folder / "objects", options.project, NUMBER)
    for name in options.bucket:
        store.add_bucket(name, options.project, {})
    Tokens(google, accounts)
    Federation(google, accounts)
    Metadata(google, accounts)
    storage = Storage(google, accounts, store)
    Uploads(google, store, storage)
    registry = Registry(google, folder / "registry")
    engine = Engine(options.docker, folder / "builds", registry) if options.docker else None
    CloudBuild(google, accounts, store, engine, options.concurrency)

    authority, context = make_authority(folder / "authority") if options.tls else (None, None)
    plain = Port(google, port=0 if options.tls else options.port)
    secure = Port(google, context, options.port) if options.tls else None
    base = f"https://localhost:{secure.port}" if secure else f"http://127.0.0.1:{plain.port}"
    metadata = f"127.0.0.1:{plain.port}"
    if engine:
        engine.control = f"http://{metadata}/control"
    told = {"base": base, "control": f"http://{metadata}/control", "metadata": metadata, "project": options.project,
            "number": NUMBER, "account": accounts.builder, "registry": metadata,
            "credentials": accounts.write_files(folder / "credentials", base, metadata)}
    if authority:
        told |= {"ca": str(authority), "proxy": f"http://127.0.0.1:{Proxy(google.journal, secure.port).server_address[1]}"}
    return google, engine, told


def keep_memory():
    """A page costs more to get from the kernel than to fill, and glibc gives each block back at once otherwise."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for option, value in ((-8, 1), (-1, 1 << 28), (-3, 1 << 28)):  # arenas, when to trim, when to mmap
            libc.mallopt(option, value)


def wait_for_the_end():
    """Until standard input is closed, or a signal comes."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: os.close(0))
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass


def main():
    options = arguments()
    keep_memory()
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="google-", dir=options.folder.resolve()))
    engine = google = None
    try:
        if options.quirks:
            told = quirks.start(options.bucket)
        else:
            google, engine, told = services(options, folder)
        line = json.dumps(told)
        if options.port_file:
            options.port_file.write_text(line + "\n")
        print(line, flush=True)
        wait_for_the_end()
    finally:
        if google:
            google.ended.set()
        if engine:
            engine.stop()
        shutil.rmtree(folder, ignore_errors=True)
        if options.port_file:
            options.port_file.unlink(missing_ok=True)
    # Threads of connections may be in the middle of anything.
    sys.stdout.flush()
    os._exit(0)


main()
