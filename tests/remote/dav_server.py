"""A small server of WebDAV for tests: the files of a folder, on a free port of this machine.

usage: dav_server.py FOLDER [--plain] [--read-only] [--tls FILE] [--only WORD]

It prints the port, and a line for each request.

With --plain it has only GET, HEAD, PUT and DELETE, as servers of files often do, and makes folders by itself. With
--read-only it refuses what would change something. With --tls it speaks TLS, by the key and certificate of a file, and
with --only it takes requests with that word for a bearer's token. Else nobody is asked who they are.
"""

import email.utils
import http.server
import os
import shutil
import ssl
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

ROOT = Path(sys.argv[1]).resolve()
PLAIN = "--plain" in sys.argv[2:]
READ_ONLY = "--read-only" in sys.argv[2:]


def argument(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv[2:] else None


TLS, ONLY = argument("--tls"), argument("--only")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def file(self):
        path = (ROOT / unquote(self.path).lstrip("/")).resolve()
        return path if path.is_relative_to(ROOT) else None

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, form, *words):
        print(form % words, flush=True)

    def parse_request(self):
        if not super().parse_request():
            return False
        if ONLY and self.headers.get("Authorization") != f"Bearer {ONLY}":
            self.close_connection = True
            self.answer(401)
            return False
        return True

    def do_GET(self):
        file = self.file()
        if file is None or not file.is_file():
            return self.answer(404)
        with file.open("rb") as source:
            self.send_response(200)
            size = os.fstat(source.fileno()).st_size
            self.send_header("Content-Length", str(size))
            self.send_header("Last-Modified", email.utils.formatdate(file.stat().st_mtime, usegmt=True))
            self.end_headers()
            if self.command == "GET":
                shutil.copyfileobj(source, self.wfile)

    do_HEAD = do_GET

    def do_PUT(self):
        if READ_ONLY:
            self.close_connection = True
            return self.answer(403)
        file = self.file()
        left = int(self.headers["Content-Length"])
        if file is None or file.is_dir():
            self.close_connection = True
            return self.answer(405)
        if PLAIN:
            file.parent.mkdir(parents=True, exist_ok=True)
        is_there = file.parent.is_dir()
        # What does not arrive wholly is not there.
        with tempfile.NamedTemporaryFile(dir=ROOT, prefix=".put-", delete=False) as new:
            while left and (piece := self.rfile.read(min(left, 1 << 16))):
                new.write(piece)
                left -= len(piece)
        if left or not is_there:
            os.unlink(new.name)
            return self.answer(409 if not left else 400)
        os.replace(new.name, file)
        return self.answer(201)

    def do_DELETE(self):
        if READ_ONLY:
            return self.answer(403)
        file = self.file()
        if file is None or not file.is_file():
            return self.answer(404)
        file.unlink()
        return self.answer(204)

    def do_MKCOL(self):
        if READ_ONLY:
            return self.answer(403)
        folder = self.file()
        if PLAIN:
            return self.answer(501)
        if not folder.parent.is_dir():
            return self.answer(409)
        if folder.exists():
            return self.answer(405)
        folder.mkdir(exist_ok=True)
        return self.answer(201)

    def do_PROPFIND(self):
        place = self.file()
        if PLAIN:
            return self.answer(501)
        # As Apache does by default.
        if self.headers.get("Depth") not in ("0", "1"):
            return self.answer(403)
        if not place.exists():
            return self.answer(404)
        found = [place]
        if self.headers["Depth"] == "1" and place.is_dir():
            found += sorted(place.iterdir())
        parts = "".join(self.described(path) for path in found)
        body = f'<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">{parts}</D:multistatus>'
        headers = [("Content-Type", "application/xml")]
        return self.answer(207, body.encode(), headers)

    def described(self, path):
        name = "/" + quote(str(path.relative_to(ROOT))) + ("/" if path.is_dir() else "")
        kind = "<D:collection/>" if path.is_dir() else ""
        status = path.stat()
        when = email.utils.formatdate(status.st_mtime, usegmt=True)
        return (
            f"<D:response><D:href>{escape(name)}</D:href><D:propstat><D:prop>"
            f"<D:getcontentlength>{status.st_size}</D:getcontentlength>"
            f"<D:getlastmodified>{when}</D:getlastmodified><D:resourcetype>{kind}</D:resourcetype>"
            "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        )


class Server(http.server.ThreadingHTTPServer):
    # Sixteen come at once; the usual queue takes five.
    request_queue_size = 64


server = Server(("127.0.0.1", 0), Handler)
if TLS:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS)
    # Each connection shakes hands in its own thread: one that does not would hold up all others.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
