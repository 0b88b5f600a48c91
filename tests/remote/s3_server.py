"""An S3 server for tests: moto on a free port of this machine, with a bucket `cache`, in memory.

usage: s3_server.py [--strict]   prints the port, and a line for each request

With --strict it refuses who has no account: after the bucket was made, everybody.
"""

import os
import sys
import threading
import urllib.request

STRICT = "--strict" in sys.argv[1:]
if STRICT:
    # One request without credentials, for the bucket.
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "1"

from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, kind, message, *words):
        # In one piece: others write at the same time.
        sys.stdout.write(message % words + "\n")


application = DomainDispatcherApplication(create_backend_app)
server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
threading.Thread(target=server.serve_forever).start()
make = urllib.request.Request(f"http://127.0.0.1:{server.port}/cache", method="PUT")
urllib.request.urlopen(make).read()
print(server.port, flush=True)
