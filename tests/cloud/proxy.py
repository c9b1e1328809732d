# SPDX-License-Identifier: Apache-2.0
# usage: proxy.py PORT TLS_PORT TARGET_PORT
# Stands before Glance and passes on what comes, but for what /work/mode says at that time:
# (a file is one of 64 KiB or more)
#   cut          the connection breaks in the middle of a file, here and at Glance
#   cut-all      the same, and from then on nothing gets through
#   corrupt      the last byte of a file becomes another
#   slow         a file passes at 64 KiB a second
#   stall        after the first bytes of a file nothing moves
#   CODE         a file is taken and refused, with a page of HTML
#   keep         nothing is removed: 409
#   expired      the next request finds its token run out; then as if nothing was
#   redirect     all are sent elsewhere: /work/stolen lists tokens that came there
#   long         answers are endless
# /work/proxied lists the requests.
import http.client
import http.server
import os
import ssl
import sys
import threading
import time

port, tls_port, target = (int(a) for a in sys.argv[1:])
HOP = {"connection", "expect", "host", "transfer-encoding", "keep-alive"}


def mode():
    try:
        with open("/work/mode") as f:
            return f.read().strip()
    except FileNotFoundError:
        return ""


def note(name, line):
    with open(f"/work/{name}", "a") as f:
        f.write(line + "\n")


class Cut(Exception):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def handle_expect_100(self):
        return True     # answered when we mean to read

    def say(self, code, text):
        body = f"<html><head><title>{code}</title></head><body><h1>{code} No</h1>{text}</body></html>".encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def pieces(self, length, how):
        """The body as Glance gets it."""
        done = 0
        while done < length:
            data = self.rfile.read(min(16384, length - done))
            if not data:
                raise Cut()
            if how == "corrupt" and done + len(data) == length:
                data = data[:-1] + bytes([data[-1] ^ 1])
            if how == "stall" and done:
                time.sleep(600)
            if how == "slow":
                time.sleep(len(data) / 65536)
            done += len(data)
            if how.startswith("cut") and done > length // 2:
                if how == "cut-all":
                    with open("/work/mode", "w") as f:
                        f.write("dead")
                raise Cut()
            yield data

    def forward(self, how, length):
        up = http.client.HTTPConnection("127.0.0.1", target, timeout=120)
        up.putrequest(self.command, self.path, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                up.putheader(name, value)
        up.putheader("Connection", "close")
        up.endheaders()
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
        try:
            for data in self.pieces(length, how):
                up.send(data)
            answer = up.getresponse()
            body = answer.read()
        finally:
            up.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP | {"content-length"}:
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def endless(self):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(b"x" * 65536)

    def serve(self):
        how, length = mode(), int(self.headers.get("Content-Length") or 0)
        is_file = self.path.endswith("/file") and length >= 65536
        note("proxied", f"{self.command} {self.path}")
        if self.path.startswith("/elsewhere"):
            note("stolen", self.headers.get("X-Auth-Token", ""))
        try:
            if how == "dead":
                raise Cut()
            if how == "redirect":
                self.send_response(302)
                self.send_header("Location", f"http://127.0.0.1:{port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif how == "long":
                self.endless()
            elif how == "expired":
                os.unlink("/work/mode")
                self.say(401, "The token has run out")
            elif how == "keep" and self.command == "DELETE":
                self.say(409, "Image is in use")
            elif how.isdigit() and is_file:
                self.rfile.read(length)
                self.say(int(how), "No, says the proxy: <b>too much</b>")
            else:
                self.forward(how if is_file else "", length)
        except (Cut, OSError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = serve


def listen(at, context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", at), Handler)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever).start()


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("/work/glance.pem", "/work/glance.key")
listen(port)
listen(tls_port, tls)
open("/work/proxy.up", "w").close()
