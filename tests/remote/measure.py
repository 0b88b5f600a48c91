"""Requests and bytes of push, push again and pull, counted between the programs and an S3 server on this machine.

usage: PROGRAM=… HELPER=… measure.py [STAGES] [DVC]   DVC: the program `dvc`, for the same files on the same server

PROGRAM has the kinds of examples/half-life. Run by the Python of tests/remote/run.sh, which has moto. Times are of a
server in Python and say little; requests and bytes do not depend on it.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUEST = re.compile(rb"(GET|PUT|HEAD|POST|DELETE) /\S* HTTP/1\.1\r\n")


class Counter:
    """A port that passes everything on to another one and counts it."""

    def __init__(self, port):
        self.target = port
        self.lock = threading.Lock()
        self.counts = {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.target))
            for source, sink, way in ((client, server, "bytes up"), (server, client, "bytes down")):
                threading.Thread(target=self.pump, args=(source, sink, way), daemon=True).start()

    def pump(self, source, sink, way):
        try:
            while piece := source.recv(1 << 16):
                with self.lock:
                    self.counts[way] = self.counts.get(way, 0) + len(piece)
                    # The head of a request is one piece: clients write it at once.
                    for method in REQUEST.findall(piece) if way == "bytes up" else ():
                        method = method.decode()
                        self.counts[method] = self.counts.get(method, 0) + 1
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def taken(self):
        with self.lock:
            counts, self.counts = self.counts, {}
        return json.dumps(dict(sorted(counts.items())))


def pipeline(stages):
    count = (
        f"  count_{seed}:\n    kind: count\n"
        f"    params: {{activity: 200.0, half_life: 30.0, minutes: {30 * (1 + seed % 20)}, seed: {seed}}}\n"
        f"    outputs: {{counts: artifacts/{seed}.csv}}\n"
        for seed in range(stages)
    )
    return "version: 2\nstages:\n" + "".join(count)


def main(folder, stages, dvc):
    served = [sys.executable, "-u", str(HERE / "s3_server.py")]
    server = subprocess.Popen(served, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        while not (line := server.stdout.readline()).strip().isdigit():
            pass
        threading.Thread(target=server.stdout.read, daemon=True).start()
        measure(folder, stages, dvc, Counter(int(line)))
    finally:
        server.kill()


def measure(folder, stages, dvc, counter):
    endpoint = f"http://127.0.0.1:{counter.port}"
    keys = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "something", "AWS_DEFAULT_REGION": "us-east-1"}
    environment = {**os.environ, **keys, "AWS_ENDPOINT_URL": endpoint, "DVC_NO_ANALYTICS": "1"}
    environment["RETRACE_REMOTE"] = os.environ["HELPER"]
    program = os.environ["PROGRAM"]

    def run(where, what, *command):
        start = time.monotonic()
        said = subprocess.PIPE
        done = subprocess.run(command, cwd=where, env=environment, stdout=said, stderr=subprocess.STDOUT, text=True)
        took = time.monotonic() - start
        if done.returncode:
            sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}")
        if what:
            print(f"{what}: {counter.taken()}, {took:.1f} s", flush=True)

    def clone(name, files=()):
        made = folder / name
        made.mkdir()
        for file in files:
            shutil.copy(folder / "first" / file, made / file)
        return made

    first = clone("first")
    (first / "pipeline.yaml").write_text(pipeline(stages))
    run(first, "", program, "run")
    files = [path.stat().st_size for path in (first / "artifacts").iterdir()]
    print(f"{len(files)} files, {sum(files)} bytes")
    store = ("--store", "s3://cache/here")
    committed = ("pipeline.yaml", "pipeline.lock", "pipeline.keys")
    run(first, "push", program, "push", *store)
    run(first, "push again", program, "push", *store)
    run(clone("second", committed), "pull", program, "pull", *store)
    run(clone("third", committed), "run of an empty clone", program, "run", *store)
    if not dvc:
        return
    theirs = clone("theirs")
    shutil.copytree(first / "artifacts", theirs / "artifacts")
    run(theirs, "", dvc, "init", "--no-scm", "-q")
    run(theirs, "", dvc, "remote", "add", "-q", "-d", "there", "s3://cache/theirs")
    run(theirs, "", dvc, "remote", "modify", "-q", "there", "endpointurl", endpoint)
    run(theirs, "", dvc, "add", "-q", "artifacts")
    counter.taken()
    run(theirs, "dvc push", dvc, "push")
    run(theirs, "dvc push again", dvc, "push")
    empty = clone("empty")
    shutil.copytree(theirs / ".dvc", empty / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp"))
    shutil.copy(theirs / "artifacts.dvc", empty)
    run(empty, "dvc pull", dvc, "pull")


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 895
    with tempfile.TemporaryDirectory() as made:
        main(Path(made), count, sys.argv[2] if len(sys.argv) > 2 else None)
