"""An S3 server for tests: moto on a free port of this machine, with a bucket `cache`, in memory.

usage: s3_server.py [--strict] [--tls FILE] [--bearer FILE]   prints the port, and a line for each request

With --strict it refuses who has no account: after the bucket was made, everybody. With --tls it speaks TLS, by the key
and certificate of a file. With --bearer it is as much of GCS as has the form of S3: its requests are not signed but
have a token, which is taken if the public key of a file says that its account has signed it.
"""

import base64
import os
import ssl
import sys
import threading
import urllib.request


def argument(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv[1:] else None


STRICT = "--strict" in sys.argv[1:]
if STRICT:
    # One request without credentials, for the bucket.
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "1"

from cryptography.exceptions import InvalidSignature  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import padding  # noqa: E402
from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, kind, message, *words):
        # In one piece: others write at the same time.
        sys.stdout.write(message % words + "\n")


class Bearers:
    """Passes on who has a token that is signed by a key; until there is a key, everybody."""

    def __init__(self, application):
        self.application = application
        self.key = None

    def __call__(self, environ, start_response):
        token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        if self.key is None or self.is_signed(token):
            return self.application(environ, start_response)
        body = b"<Error><Code>AuthenticationRequired</Code></Error>"
        start_response("401 Unauthorized", [("Content-Length", str(len(body)))])
        return [body]

    def is_signed(self, token):
        signed, _, signature = token.rpartition(".")
        try:
            signature = base64.urlsafe_b64decode(signature + "==")
            self.key.verify(signature, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True


application = DomainDispatcherApplication(create_backend_app)
bearer, tls, trusting = argument("--bearer"), argument("--tls"), None
if bearer:
    application = Bearers(application)
if tls:
    trusting = ssl.create_default_context(cafile=tls)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(argument("--tls"))
server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler, ssl_context=tls)
threading.Thread(target=server.serve_forever).start()
make = urllib.request.Request(f"{'https' if tls else 'http'}://127.0.0.1:{server.port}/cache", method="PUT")
urllib.request.urlopen(make, context=trusting).read()
if bearer:
    with open(bearer, "rb") as file:
        application.key = serialization.load_pem_public_key(file.read())
print(server.port, flush=True)
