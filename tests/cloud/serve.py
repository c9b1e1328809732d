# SPDX-License-Identifier: Apache-2.0
# usage: serve.py keystone | glance PORT
# Debian's Keystone or Glance on loopback, out of /work; /work/NAME.up is there once it answers.
import os
import socketserver
import sys
from wsgiref import simple_server

what, port = sys.argv[1], int(sys.argv[2])


class Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True
    request_queue_size = 20


class Body:
    """As servers for production have it: asked for when it is read, and an error, not a short file, where it ends too early."""

    def __init__(self, handler, length):
        self.handler, self.stream, self.left = handler, handler.rfile, length
        self.asked = not handler.headers.get("Expect")

    def read(self, size=-1):
        if not self.asked:
            self.handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.asked = True
        want = self.left if size is None or size < 0 else min(size, self.left)
        data = self.stream.read(want) if want else b""
        if len(data) < want:
            raise OSError("the client went away")
        self.left -= len(data)
        return data


class Handler(simple_server.WSGIRequestHandler):
    protocol_version = "HTTP/1.1"   # for Expect: 100-continue

    def handle_expect_100(self):
        return True

    def get_environ(self):
        return super().get_environ() | {"vhpc.handler": self}

    def log_message(self, *args):
        pass


def whole(app):
    def run(environ, start):
        environ["wsgi.input"] = Body(environ.pop("vhpc.handler"), int(environ.get("CONTENT_LENGTH") or 0))
        return app(environ, start)
    return run


def load():
    sys.argv = [what]   # the services parse it too
    if what == "keystone":
        os.environ["OS_KEYSTONE_CONFIG_DIR"] = "/work"
        from keystone.server.wsgi import initialize_public_application
        return initialize_public_application()
    os.environ["OS_GLANCE_CONFIG_DIR"] = "/work"
    from glance.common.wsgi_app import init_app
    return init_app()


server = simple_server.make_server("127.0.0.1", port, whole(load()), Server, Handler)
open(f"/work/{what}.up", "w").close()
server.serve_forever()
