"""Shared stores behind a URL, as users have them: two programs, real servers on this machine, empty clones.

PROGRAM is a program of pipelines with the kinds of examples/half-life, HELPER the second program. `make
test-remote` sets both. AZURITE and S3S, where they are set, are a server of Azure's blobs and a second one of S3
(run.sh says how they come there). What is tried on moto is tried on them too, and what takes longest on servers of
other services only where ALL is set. What one request is answered, crates/remote/tests has.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

from certificates import PEM, Authority, private
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import PublicFormat

HERE = Path(__file__).resolve().parent
PROGRAM = os.environ["PROGRAM"]
HELPER = os.environ["HELPER"]
AZURITE = os.environ.get("AZURITE")
S3S = os.environ.get("S3S")
SECRET = "hunter2hunter2hunter2"
WRONG = SECRET[::-1]
STAGES = 60


def pipeline(minutes=15):
    stages = "".join(
        f"  count_{seed}:\n    kind: count\n"
        f"    params: {{activity: 200.0, half_life: 30.0, minutes: {minutes}, seed: {seed}}}\n"
        f"    outputs: {{counts: artifacts/{seed}.csv}}\n"
        for seed in range(STAGES)
    )
    return f"version: 2\nstages:\n{stages}"


def long(test):
    """A test that takes long, on the servers of one more service."""
    return unittest.skipUnless(os.environ.get("ALL"), "takes long: `make test-remote-both` runs it")(test)


def key(secret):
    """A secret as keys of Azure are written."""
    return base64.b64encode(secret.encode()).decode()


def aws(url):
    """The environment of clients of an S3 server."""
    return {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": SECRET}


class Server:
    """A server in a process of its own, and what it has logged.

    Its first line that matches `port` tells its port; after that, a line for each request matches `request`.
    """

    def __init__(self, command, port=r"^(\d+)$", request="", environment=None, scheme="http"):
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
        self.url = f"{scheme}://127.0.0.1:{self.port}"

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
    # What nobody may print or write into a file.
    secrets = (SECRET, WRONG, key(SECRET), key(WRONG))

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="remote-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.clone("first")

    def server(self, *command, **how):
        server = Server(command, **how)
        self.addCleanup(server.end)
        return server

    def script(self, name, *arguments):
        scheme = "https" if "--tls" in arguments else "http"
        return self.server(sys.executable, "-u", HERE / name, *arguments, scheme=scheme)

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
        for secret in self.secrets:
            self.assertNotIn(secret, done.stdout)
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
            for secret in self.secrets if path.is_file() else ():
                self.assertNotIn(secret.encode(), path.read_bytes(), path)


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


class Buckets:
    """What any service with buckets must do. Conditional puts are not among it: nothing rests on them."""

    url = "s3://cache"
    container = "bucket"
    # It is named where credentials are wrong.
    variable = "AWS_SECRET_ACCESS_KEY"
    # What is said of a server that stands still.
    silence = "has not moved a byte for 10 s"

    def wrong(self, server):
        return {**server.environment, "AWS_SECRET_ACCESS_KEY": WRONG}

    def test_push_and_pull(self):
        server = self.serve()
        self.shared(f"{self.url}/of/us", server.environment)

    def test_server_that_stops_in_the_middle(self):
        server = self.serve()
        self.run_in("first", "run")
        self.run_in("first", "push", "--store", self.url, environment=server.environment)
        self.clone("second", "first")
        pushed = len(server.lines)

        def stop():
            server.wait_for_requests(pushed + 5)
            server.process.send_signal(signal.SIGSTOP)
            self.stopped = time.monotonic()

        stopping = threading.Thread(target=stop)
        stopping.start()
        said = self.run_in("second", "run", "--store", self.url, environment=server.environment)
        took = time.monotonic() - self.stopped
        stopping.join()
        print(f"server stopped: the run ended {took:.1f} s later", file=sys.stderr)
        self.assertRegex(said, self.silence)
        self.assertIn("given up", said)
        self.assertEqual(self.outputs("second"), self.outputs("first"))
        self.run_in("second", "verify")

    def test_denied(self):
        server = self.serve(strict=True)
        wrong = self.wrong(server)
        self.run_in("first", "run")
        said = self.run_in("first", "push", "--store", self.url, code=1, environment=wrong)
        self.assertIn("refuses these credentials", said)
        self.assertIn(self.variable, said)
        self.clone("second", "first")
        said = self.run_in("second", "pull", "--store", self.url, code=1, environment=wrong)
        self.assertIn("refuses these credentials", said)
        said = self.run_in("second", "run", "--store", self.url, environment=wrong)
        self.assertIn("refuses these credentials", said)
        self.assertEqual(self.outputs("second"), self.outputs("first"))

    def test_no_container(self):
        server = self.serve()
        self.run_in("first", "run")
        said = self.run_in("first", "push", "--store", f"{self.url}r", code=1, environment=server.environment)
        self.assertIn(f"{self.url}r: there is no such {self.container}", said)
        self.clone("second", "first")
        said = self.run_in("second", "pull", "--store", f"{self.url}r", code=1, environment=server.environment)
        self.assertIn(f"there is no such {self.container}", said)
        said = self.run_in("second", "run", "--store", f"{self.url}r", environment=server.environment)
        self.assertIn(f"there is no such {self.container}", said)
        self.assertEqual(self.outputs("second"), self.outputs("first"))

    def test_many_at_once_and_in_parts(self):
        server = self.serve()
        helper = Helper(f"{self.url}/many", server.environment)
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
        # And what is not there.
        self.assertEqual(helper.ask(removes[:3]), [{"done": True}] * 3)
        self.assertEqual(helper.ask([{"verb": "list", "prefix": ""}]), [{"listed": []}])
        helper.end()
        self.assertTrue(any(re.search("uploadId|UploadPart|comp=blocklist", line) for line in server.lines))


class S3(Buckets):
    """And what is tried on servers of S3 alone, as it is the same on others."""

    def test_nobody_there(self):
        self.run_in("first", "run")
        nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET}
        said = self.run_in("first", "push", "--store", "s3://cache", code=1, environment=nowhere)
        self.assertIn("s3://cache cannot be reached", said)
        self.clone("second", "first")
        said = self.run_in("second", "pull", "--store", "s3://cache", code=1, environment=nowhere)
        self.assertIn("s3://cache cannot be reached", said)
        said = self.run_in("second", "run", "--store", "s3://cache", environment=nowhere)
        self.assertIn("s3://cache cannot be reached", said)
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
        server = self.serve()
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
        self.assertIn("not what its name says", said)
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


class Moto(S3, Remote):
    def serve(self, strict=False):
        server = self.script("s3_server.py", *(["--strict"] if strict else []))
        server.environment = aws(server.url)
        return server


@unittest.skipUnless(S3S, "there is no s3s-fs here: `make test-remote-both` builds it")
class S3s(S3, Remote):
    """Its files are below a folder of which every bucket is a folder, made by who puts something there."""

    test_no_container = None

    def serve(self, strict=False):
        # It refuses all but its one client at any rate.
        folder = self.folder / "buckets"
        (folder / "cache").mkdir(parents=True)
        server = self.server(
            *(S3S, "--host", "127.0.0.1", "--port", "0"),
            *("--access-key", "somebody", "--secret-key", SECRET, folder),
            port=r"server is running at http://127\.0\.0\.1:(\d+)",
            request="resolved route",
            environment={"RUST_LOG": "s3s_fs=info,s3s=debug"},
        )
        server.environment = aws(server.url)
        return server


@unittest.skipUnless(AZURITE, "there is no Azurite here: tests/remote/run.sh installs it from npm")
class Azure(Buckets, Remote):
    url = "az://cache"
    container = "container"
    variable = "AZURE_STORAGE_ACCOUNT_KEY"

    test_server_that_stops_in_the_middle = long(Buckets.test_server_that_stops_in_the_middle)

    def serve(self, strict=False):
        # It refuses all but its one account at any rate.
        server = self.server(
            *("node", AZURITE, "--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry"),
            port=r"successfully listens on http://127\.0\.0\.1:(\d+)",
            request="HTTP/1.1",
            environment={"AZURITE_ACCOUNTS": f"somebody:{key(SECRET)}"},
        )
        endpoint = f"{server.url}/somebody"
        url = f"{endpoint}/cache?restype=container&{self.signature()}"
        urllib.request.urlopen(urllib.request.Request(url, method="PUT", headers={"Content-Length": "0"})).read()
        server.environment = {
            "AZURE_STORAGE_ENDPOINT": endpoint,
            "AZURE_STORAGE_ACCOUNT_NAME": "somebody",
            "AZURE_STORAGE_ACCOUNT_KEY": key(SECRET),
        }
        return server

    def wrong(self, server):
        return {**server.environment, "AZURE_STORAGE_ACCOUNT_KEY": key(WRONG)}

    def signature(self, permissions="rwdlac"):
        """A shared access signature of the account, for all blobs."""
        fields = {"sp": permissions, "ss": "b", "srt": "sco", "st": "", "se": "2900-01-01", "sip": "", "spr": ""}
        fields["sv"] = "2018-11-09"
        signed = "".join(f"{field}\n" for field in ("somebody", *fields.values())).encode()
        fields["sig"] = base64.b64encode(hmac.digest(SECRET.encode(), signed, hashlib.sha256)).decode()
        return urllib.parse.urlencode({name: value for name, value in fields.items() if value})

    def test_signature_in_place_of_the_key(self):
        server = self.serve()
        del server.environment["AZURE_STORAGE_ACCOUNT_KEY"]
        self.run_in("first", "run")
        for permissions, code, said in (("rwlac", 0, f"{STAGES} objects"), ("rl", 1, "refuses these credentials")):
            here = {**server.environment, "AZURE_STORAGE_SAS_KEY": self.signature(permissions)}
            self.secrets += (urllib.parse.parse_qs(here["AZURE_STORAGE_SAS_KEY"])["sig"][0],)
            url = f"{self.url}/{permissions}"
            self.assertIn(said, self.run_in("first", "push", "--store", url, code=code, environment=here))
        self.clone("second", "first")
        said = self.run_in("second", "run", "--store", f"{self.url}/rwlac", environment=here)
        self.assertIn(f"0 fresh, {STAGES} from the store", said)


class Tls(Buckets, Remote):
    """S3 by TLS, with a CA of one's own in a folder of those that are trusted."""

    # It takes new connections, and then shakes no hands.
    silence = "has not moved a byte for 10 s|no connection within 2 s"

    test_denied = long(Buckets.test_denied)
    test_no_container = long(Buckets.test_no_container)
    test_many_at_once_and_in_parts = long(Buckets.test_many_at_once_and_in_parts)
    test_server_that_stops_in_the_middle = long(Buckets.test_server_that_stops_in_the_middle)

    def serve(self, strict=False):
        authority = Authority(self.folder, "ours")
        trusted = self.folder / "trusted"
        trusted.mkdir()
        shutil.copy(authority.file, trusted)
        server = self.script("s3_server.py", "--tls", authority.server(), *(["--strict"] if strict else []))
        server.environment = {**aws(server.url), "SSL_CERT_DIR": str(trusted)}
        return server


class Gcs(Buckets, Remote):
    """Google's client on moto: what requests of GCS have in common with those of S3, with tokens for signatures."""

    url = "gs://cache"
    variable = "GOOGLE_APPLICATION_CREDENTIALS"

    test_many_at_once_and_in_parts = long(Buckets.test_many_at_once_and_in_parts)
    test_server_that_stops_in_the_middle = long(Buckets.test_server_that_stops_in_the_middle)

    def account(self, name):
        """A service account: its file, and its key."""
        key = rsa.generate_private_key(65537, 2048)
        text = private(key).decode()
        self.secrets += (text.splitlines()[1],)
        file = self.folder.with_name(f"{self.folder.name}-{name}.json")
        self.addCleanup(file.unlink)
        account = {"client_email": f"{name}@example.org", "private_key_id": name, "private_key": text}
        file.write_text(json.dumps({"type": "service_account", **account}))
        return str(file), key

    def serve(self, strict=False):
        # It refuses whom its one account has not signed for at any rate.
        file, key = self.account("somebody")
        public = self.folder / "public.pem"
        public.write_bytes(key.public_key().public_bytes(PEM, PublicFormat.SubjectPublicKeyInfo))
        server = self.script("s3_server.py", "--bearer", public)
        server.environment = {"GOOGLE_BASE_URL": server.url, "GOOGLE_APPLICATION_CREDENTIALS": file}
        return server

    def wrong(self, server):
        return {**server.environment, "GOOGLE_APPLICATION_CREDENTIALS": self.account("eve")[0]}

    def test_file_that_is_none(self):
        self.run_in("first", "run")
        file = self.folder / "account.json"
        account = {"type": "service_account", "private_key": SECRET, "private_key_id": "a", "client_email": "a"}
        for text, words in (
            (f'{{"type": "service_account", "private_key": {SECRET}}}', "Unable to decode service account file"),
            (json.dumps(account), "Error reading pem file"),
        ):
            file.write_text(text)
            here = {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}
            said = self.run_in("first", "push", "--store", self.url, code=1, environment=here)
            self.assertIn(words, said)
            self.assertIn("check GOOGLE_APPLICATION_CREDENTIALS", said)


class Listener:
    """A server that shakes hands, if it has a certificate, and hangs up; it counts who came."""

    def __init__(self, certificate=None):
        self.context = None
        if certificate:
            self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.context.load_cert_chain(certificate)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        self.came = 0
        self.thread = threading.Thread(target=self.accept)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.came += 1
            try:
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                else:
                    connection.recv(1 << 16)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            except OSError:
                pass
            connection.close()

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


class Https(Remote):
    """Servers whose certificates are of a CA of one's own, which a file has."""

    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder, "ours")
        self.trusting = {"SSL_CERT_FILE": str(self.authority.file)}

    def test_webdav(self):
        server = self.dav("--tls", self.authority.server(), "--only", SECRET)
        host = server.url.removeprefix("https://")
        known = {**self.trusting, "RETRACE_HTTP_AUTHORIZATION": f"{host} Bearer {SECRET}"}
        self.shared(f"{server.url}/store", known)
        wrong = {**self.trusting, "RETRACE_HTTP_AUTHORIZATION": f"{host} Bearer {WRONG}"}
        for here in (wrong, self.trusting):
            said = self.run_in("first", "push", "--store", f"{server.url}/store", code=1, environment=here)
            self.assertIn("refuses these credentials", said)
            self.assertIn("RETRACE_HTTP_AUTHORIZATION", said)

    def test_untrusted(self):
        """Who does not know the CA is told what to do; a run makes everything and says it too."""
        server = self.dav("--tls", self.authority.server())
        stranger = {"SSL_CERT_FILE": str(Authority(self.folder, "theirs").file)}
        self.run_in("first", "run")
        url = f"{server.url}/store"
        said = self.run_in("first", "push", "--store", url, code=1, environment=stranger)
        self.assertIn(f"{url}: its certificate is of an issuer that is not trusted here", said)
        self.assertIn("SSL_CERT_FILE", said)
        self.clone("second", "first")
        said = self.run_in("second", "pull", "--store", url, code=1, environment=stranger)
        self.assertIn("its certificate is of an issuer that is not trusted here", said)
        said = self.run_in("second", "run", "--store", url, environment=stranger)
        self.assertIn("its certificate is of an issuer that is not trusted here", said)
        self.assertEqual(self.outputs("second"), self.outputs("first"))
        self.assertEqual(server.lines, [])

    def test_what_is_wrong_is_told_at_once(self):
        ours = self.authority
        for certificate, words in (
            (Authority(self.folder, "theirs").server(), "is of an issuer that is not trusted here"),
            (ours.server("old", years=(2000, 2001)), "has expired"),
            (ours.server("new", years=(2899, 2900)), "is not valid yet"),
            (ours.server("other", "192.0.2.1"), "is not for 127.0.0.1 but for 192.0.2.1"),
            (ours.own, "is that of a CA"),
            (None, "it does not speak TLS"),
        ):
            with self.subTest(words):
                listener = Listener(certificate)
                self.addCleanup(listener.end)
                helper = Helper(listener.url, self.trusting)
                (told,) = helper.ask([{"verb": "look", "name": "a"}])
                helper.end()
                self.assertEqual(told["failed"]["kind"], "other")
                self.assertIn(words, told["failed"]["words"])
                self.assertEqual(listener.came, 1)

    def test_no_authority(self):
        nobody = {"SSL_CERT_FILE": str(self.folder / "gone.pem")}
        self.run_in("first", "run")
        said = self.run_in("first", "push", "--store", "https://127.0.0.1:9", code=1, environment=nobody)
        self.assertIn("there is no certificate of a CA to trust", said)
        self.assertNotIn("RETRACE_HTTP_AUTHORIZATION", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
