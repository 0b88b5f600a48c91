"""Shared stores behind a URL, as users have them: two programs, real servers on this machine, empty clones.

PROGRAM is a program of pipelines with the kinds of examples/half-life, HELPER the second program. `make
test-remote` sets both. S3S, where it is set, is a second server of S3 (run.sh says how it comes there): what is tried
on moto is tried on it too. What one request is answered, crates/remote/tests has.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAM = os.environ["PROGRAM"]
HELPER = os.environ["HELPER"]
S3S = os.environ.get("S3S")
SECRET = "hunter2hunter2hunter2"
STAGES = 60


def pipeline(minutes=15):
    stages = "".join(
        f"  count_{seed}:\n    kind: count\n"
        f"    params: {{activity: 200.0, half_life: 30.0, minutes: {minutes}, seed: {seed}}}\n"
        f"    outputs: {{counts: artifacts/{seed}.csv}}\n"
        for seed in range(STAGES)
    )
    return f"version: 2\nstages:\n{stages}"


class Server:
    """A server in a process of its own, what it has logged, and the environment of its clients.

    Its first line that matches `port` tells its port; after that, a line for each request matches `request`.
    """

    def __init__(self, command, port=r"^(\d+)$", request="", environment=None):
        self.process = subprocess.Popen(
            [str(word) for word in command],
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.wanted = (re.compile(port), re.compile(request))
        self.lines = []
        self.changed = threading.Condition()
        self.port = None
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        with self.changed:
            assert self.changed.wait_for(lambda: self.port, 60), f"{command} does not start"
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def read(self):
        port, request = self.wanted
        for line in self.process.stdout:
            with self.changed:
                # Before its port, it may tell of the bucket.
                found = port.search(line.strip())
                if self.port is None and found:
                    self.port = int(found[1])
                elif self.port and request.search(line):
                    self.lines.append(line)
                self.changed.notify_all()

    def wait_for_requests(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.lines) >= count, 60), self.lines

    def end(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Helper:
    """The second program by itself, for many requests at once."""

    def __init__(self, url, environment):
        self.process = subprocess.Popen(
            [HELPER, url], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        hello = json.loads(self.process.stdout.readline())
        assert hello.get("url") == url, hello

    def ask(self, requests):
        """The answers to requests that are all sent before the first is read."""
        for id, request in enumerate(requests):
            self.process.stdin.write(json.dumps({"id": id, **request}) + "\n")
        self.process.stdin.flush()
        answers = {}
        while len(answers) < len(requests):
            answer = json.loads(self.process.stdout.readline())
            if "moved" not in answer:
                answers[answer.pop("id")] = answer
        return [answers[id] for id in range(len(requests))]

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(10) == 0


class Remote(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="remote-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.clone("first")

    def server(self, *command, **how):
        server = Server(command, **how)
        self.addCleanup(server.end)
        return server

    def script(self, name, *arguments):
        return self.server(sys.executable, "-u", HERE / name, *arguments)

    def dav(self, *options):
        folder = self.folder / "served"
        folder.mkdir(exist_ok=True)
        return self.script("dav_server.py", folder, *options)

    def clone(self, name, lock_of=None):
        clone = self.folder / name
        clone.mkdir()
        (clone / "pipeline.yaml").write_text(pipeline())
        for file in ("pipeline.lock", "pipeline.keys"):
            if lock_of:
                shutil.copy(self.folder / lock_of / file, clone / file)

    def run_in(self, clone, *arguments, code=0, environment=None):
        """What the program says; it has the environment that it is given and no other."""
        given = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "RETRACE_REMOTE": HELPER}
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.folder / clone,
            env={**given, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}")
        self.assertNotIn(SECRET, done.stdout)
        return done.stdout

    def outputs(self, clone):
        folder = self.folder / clone / "artifacts"
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def shared(self, url, environment):
        """Pushed from one clone, an empty one needs to run nothing."""
        here = {"environment": environment}
        self.run_in("first", "run")
        said = self.run_in("first", "push", "--store", url, **here)
        self.assertIn(f"{STAGES} recorded stages: {STAGES} objects", said)
        said = self.run_in("first", "push", "--store", url, **here)
        self.assertIn(": 0 objects (0 B)", said)
        self.assertIn(f"{STAGES} there already", said)
        self.clone("pulled", "first")
        self.run_in("pulled", "pull", "--store", url, **here)
        self.clone("run", "first")
        for clone, where in (("pulled", ()), ("run", ("--store", url))):
            said = self.run_in(clone, "run", *where, **here)
            self.assertRegex(said, rf"{STAGES} stages: 0 fresh, {STAGES} (restored|from the store)")
            self.run_in(clone, "verify")
            self.assertEqual(self.outputs(clone), self.outputs("first"))
        for path in self.folder.rglob("*"):
            if path.is_file():
                self.assertNotIn(SECRET.encode(), path.read_bytes(), path)


class Http(Remote):
    def test_webdav(self):
        server = self.dav()
        self.shared(f"{server.url}/store/of us".replace(" ", "%20"), {})

    def test_plain_server(self):
        self.shared(f"{self.dav('--plain').url}/store", {})

    def test_old_and_read_only(self):
        """What is old is put anew; where that is refused, a push that lacks nothing says why and is no failure."""
        server = self.dav()
        self.run_in("first", "run")
        self.run_in("first", "push", "--store", f"{server.url}/store")
        objects = [path for path in (self.folder / "served").rglob("objects/*/*")]
        self.assertEqual(len(objects), STAGES)
        for path in objects[:7]:
            long_ago = path.stat().st_mtime - 8 * 24 * 60 * 60
            os.utime(path, (long_ago, long_ago))
        refusing = self.dav("--read-only")
        said = self.run_in("first", "push", "--store", f"{refusing.url}/store")
        self.assertIn("7 files of more than 7 days that could not be put there anew", said)
        self.assertIn(": 0 objects (0 B) put into", said)
        objects[0].unlink()
        said = self.run_in("first", "push", "--store", f"{refusing.url}/store", code=1)
        self.assertIn("refuses", said)
        self.run_in("first", "verify")
        said = self.run_in("first", "push", "--store", f"{server.url}/store")
        self.assertIn(": 7 objects", said)

    def test_no_second_program(self):
        self.run_in("first", "run")
        nowhere = {"RETRACE_REMOTE": ""}
        shutil.copy(PROGRAM, self.folder / "alone")
        done = subprocess.run(
            [self.folder / "alone", "push", "--store", "s3://cache"],
            cwd=self.folder / "first",
            env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin", **nowhere},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("cargo build --release --locked --manifest-path crates/remote/Cargo.toml", done.stdout)


class S3:
    """What any server of S3 must do. Conditional puts are not among it: nothing rests on them."""

    def test_push_and_pull(self):
        server = self.s3()
        self.shared("s3://cache/of/us", server.environment)

    def test_server_that_stops_in_the_middle(self):
        server = self.s3()
        self.run_in("first", "run")
        self.run_in("first", "push", "--store", "s3://cache", environment=server.environment)
        self.clone("second", "first")
        pushed = len(server.lines)

        def stop():
            server.wait_for_requests(pushed + 5)
            server.process.send_signal(signal.SIGSTOP)
            self.stopped = time.monotonic()

        stopping = threading.Thread(target=stop)
        stopping.start()
        said = self.run_in("second", "run", "--store", "s3://cache", environment=server.environment)
        took = time.monotonic() - self.stopped
        stopping.join()
        print(f"server stopped: the run ended {took:.1f} s later", file=sys.stderr)
        self.assertIn("has not moved a byte for 10 s", said)
        self.assertIn("given up", said)
        self.assertEqual(self.outputs("second"), self.outputs("first"))
        self.run_in("second", "verify")

    def test_nobody_there(self):
        self.run_in("first", "run")
        nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET}
        said = self.run_in("first", "push", "--store", "s3://cache", code=1, environment=nowhere)
        self.assertIn("s3://cache cannot be reached", said)
        self.clone("second", "first")
        said = self.run_in("second", "run", "--store", "s3://cache", environment=nowhere)
        self.assertIn("s3://cache cannot be reached", said)
        self.assertEqual(self.outputs("second"), self.outputs("first"))

    def test_denied(self):
        server = self.s3(strict=True)
        wrong = {**server.environment, "AWS_SECRET_ACCESS_KEY": SECRET[::-1]}
        self.run_in("first", "run")
        said = self.run_in("first", "push", "--store", "s3://cache", code=1, environment=wrong)
        self.assertIn("refuses these credentials", said)
        self.assertIn("AWS_SECRET_ACCESS_KEY", said)
        self.clone("second", "first")
        said = self.run_in("second", "run", "--store", "s3://cache", environment=wrong)
        self.assertIn("refuses these credentials", said)
        self.assertEqual(self.outputs("second"), self.outputs("first"))

    def logged(self, server, url):
        """How many lines its log has for what was answered until now, which is read a little later."""
        name = f"asked-{len(server.lines)}"
        file = self.folder / "nothing"
        file.write_bytes(b"")
        helper = Helper(url, server.environment)
        helper.ask([{"verb": "get", "name": name, "file": str(file), "most": 1}])
        helper.end()
        with server.changed:
            found = lambda: [number for number, line in enumerate(server.lines) if name in line]
            assert server.changed.wait_for(found, 60), server.lines
            return found()[-1] + 1

    def signer(self, name):
        """A key of somebody, and the line that trusts them."""
        line = self.run_in("first", "store", "key", f"../{name}", "--name", name)
        return line.splitlines()[0] + "\n"

    def test_signed_entries(self):
        """Keys that no lock knows: the word of a trusted signer counts over the URL as in a folder, and no other."""
        server = self.s3()
        url = "s3://cache/signed"
        ann, eve = self.signer("ann"), self.signer("eve")

        def push(clone, name):
            key = {**server.environment, "RETRACE_KEY": str(self.folder / name)}
            return self.run_in(clone, "push", "--store", url, environment=key)

        def run(clone, trusted, taken, *options):
            """An empty clone without a lock, which trusts some; it takes so many stages from the store."""
            self.clone(clone)
            (self.folder / clone / "store.trust").write_text(trusted)
            said = self.run_in(clone, "run", "--store", url, *options, environment=server.environment)
            source = f"{taken} from the store" if taken else f"{STAGES} ran"
            self.assertIn(f"{STAGES} stages: 0 fresh, {source}", said)
            self.assertEqual(self.outputs(clone), self.outputs("first"))
            return said

        self.run_in("first", "run")
        self.assertIn(f"{STAGES} entries signed", push("first", "ann"))
        run("trusting", ann, STAGES)
        self.run_in("trusting", "verify")
        # Who trusts nobody, or somebody else, makes everything.
        run("alone", "", 0)
        run("unknown", eve, 0)

        # One request for each key and trusted signer, and one for each object.
        before = self.logged(server, url)
        run("counted", ann, STAGES)
        asked = server.lines[before : self.logged(server, url)]
        self.assertEqual(sum("/entries/" in line for line in asked), STAGES, asked)
        self.assertEqual(sum("/objects/" in line for line in asked), STAGES, asked)

        # A bit of an object is flipped: that stage alone is made, and a push that reads what is there mends it.
        helper = Helper(url, server.environment)
        (listed,) = helper.ask([{"verb": "list", "prefix": "objects/"}])
        name = listed["listed"][0]["name"]
        copy = self.folder / "object"
        copy.write_bytes(b"")
        (got,) = helper.ask([{"verb": "get", "name": name, "file": str(copy), "most": 1 << 20}])
        right = copy.read_bytes()
        self.assertEqual(got, {"bytes": len(right)})
        copy.write_bytes(bytes([right[0] ^ 1]) + right[1:])
        self.assertEqual(helper.ask([{"verb": "put", "name": name, "file": str(copy)}]), [{"done": True}])
        said = run("damaged", ann, STAGES - 1)
        self.assertIn("not what their names say", said)
        self.assertIn(name, said)
        self.run_in("damaged", "push", "--store", url, "--paranoid", environment=server.environment)
        (got,) = helper.ask([{"verb": "get", "name": name, "file": str(copy), "most": 1 << 20}])
        self.assertEqual(copy.read_bytes(), right)
        run("mended", ann, STAGES)

        # An entry that is flipped, or lies under another key, is nobody's word.
        (listed,) = helper.ask([{"verb": "list", "prefix": "entries/"}])
        entries = [found["name"] for found in listed["listed"]]
        (got,) = helper.ask([{"verb": "get", "name": entries[0], "file": str(copy), "most": 1 << 20}])
        first = copy.read_bytes()
        helper.ask([{"verb": "put", "name": entries[1], "file": str(copy)}])
        copy.write_bytes(first[:-2] + bytes([first[-2] ^ 1]) + first[-1:])
        helper.ask([{"verb": "put", "name": entries[0], "file": str(copy)}])
        helper.end()
        run("lied to", ann, STAGES - 2)

    def test_many_at_once_and_in_parts(self):
        server = self.s3()
        helper = Helper("s3://cache/many", server.environment)
        files = []
        for n in range(200):
            files.append(self.folder / f"file{n}")
            # Some are larger than a part of an upload.
            files[-1].write_bytes(bytes([n % 251]) * (20_000_000 if n % 100 == 7 else 1000 * n))
        puts = [{"verb": "put", "name": f"objects/{n}", "file": str(file)} for n, file in enumerate(files)]
        self.assertEqual(helper.ask(puts), [{"done": True}] * 200)
        for file in files:
            file.with_suffix(".got").write_bytes(b"")
        gets = [
            {"verb": "get", "name": f"objects/{n}", "file": f"{file}.got", "most": 1 << 30}
            for n, file in enumerate(files)
        ]
        self.assertEqual(helper.ask(gets), [{"bytes": file.stat().st_size} for file in files])
        for file in files:
            self.assertEqual(file.with_suffix(".got").read_bytes(), file.read_bytes())
        (listed,) = helper.ask([{"verb": "list", "prefix": "objects/"}])
        self.assertEqual(
            {(found["name"], found["size"]) for found in listed["listed"]},
            {(f"objects/{n}", file.stat().st_size) for n, file in enumerate(files)},
        )
        removes = [{"verb": "remove", "name": f"objects/{n}"} for n in range(200)]
        self.assertEqual(helper.ask(removes), [{"done": True}] * 200)
        self.assertEqual(helper.ask([{"verb": "list", "prefix": ""}]), [{"listed": []}])
        helper.end()
        self.assertTrue(any(re.search("uploadId|UploadPart", line) for line in server.lines))


class Moto(S3, Remote):
    def s3(self, strict=False):
        return self.script("s3_server.py", *(["--strict"] if strict else []))

    def test_no_bucket(self):
        server = self.s3()
        self.run_in("first", "run")
        said = self.run_in("first", "push", "--store", "s3://cahce", code=1, environment=server.environment)
        self.assertIn("there is no such bucket", said)


@unittest.skipUnless(S3S, "there is no s3s-fs here: `make test-remote-both` builds it")
class S3s(S3, Remote):
    """Its files are below a folder of which every bucket is a folder, made by who puts something there."""

    def s3(self, strict=False):
        # It refuses all but its one client at any rate.
        folder = self.folder / "buckets"
        (folder / "cache").mkdir(parents=True)
        return self.server(
            *(S3S, "--host", "127.0.0.1", "--port", "0"),
            *("--access-key", "somebody", "--secret-key", SECRET, folder),
            port=r"server is running at http://127\.0\.0\.1:(\d+)",
            request="resolved route",
            environment={"RUST_LOG": "s3s_fs=info,s3s=debug"},
        )


if __name__ == "__main__":
    unittest.main(verbosity=2)
