"""Serves one function of MikroCloud: a module with `def handler(request)` (docs/functions.md)."""

import asyncio
import importlib.util
import inspect
import json
import os
import signal
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

MAX_BODY_BYTES = 64 * 1024 * 1024


class Headers(dict):
    """Headers by name, whatever its case; several of one name are joined by a comma."""

    def __init__(self, pairs):
        super().__init__()
        for name, value in pairs:
            name = name.lower()
            super().__setitem__(name, f"{self[name]}, {value}" if name in self else value)

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __contains__(self, name):
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


class Request:
    """What the handler gets."""

    def __init__(self, method, target, headers, body):
        self.method = method
        self.headers = headers
        self.body = body
        self.path, _, query = target.partition("?")
        self.query_lists = parse_qs(query, keep_blank_values=True)
        self.query = {name: values[-1] for name, values in self.query_lists.items()}
        scheme = headers.get("x-forwarded-proto", "http")
        self.url = f"{scheme}://{headers.get('host', 'localhost')}{target}"

    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body or b"null")


def load(file):
    # In place of the directory of this file.
    sys.path[0] = os.path.dirname(os.path.abspath(file))
    sys.path.insert(1, os.getcwd())
    spec = importlib.util.spec_from_file_location("function", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["function"] = module
    spec.loader.exec_module(module)
    handler = getattr(module, "handler", None)
    if not callable(handler):
        raise TypeError(f"{file} has no function `handler(request)`")
    return handler


def parse_result(result):
    """Status, headers (pairs) and body of whatever a handler may return."""
    status, headers, body = 200, {}, result
    if isinstance(result, tuple):
        body = result[0]
        status = result[1] if len(result) > 1 else 200
        headers = result[2] if len(result) > 2 else {}
    elif hasattr(result, "status") or hasattr(result, "status_code"):
        status = getattr(result, "status", None) or getattr(result, "status_code", 200)
        headers = getattr(result, "headers", None) or {}
        body = getattr(result, "body", b"")
    pairs = [(str(name), str(value)) for name, value in (headers.items() if hasattr(headers, "items") else headers)]
    kind = None
    if body is None:
        body = b""
    elif isinstance(body, (dict, list)):
        body, kind = json.dumps(body).encode(), "application/json"
    elif isinstance(body, str):
        body, kind = body.encode(), "text/plain; charset=utf-8"
    elif isinstance(body, (bytes, bytearray, memoryview)):
        body, kind = bytes(body), "application/octet-stream"
    elif not hasattr(body, "__iter__"):
        raise TypeError(f"the handler returned {type(result).__name__}: return str, bytes, dict, list or (body, status, headers)")
    if kind and not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("content-type", kind))
    return int(status), pairs, body


class Call(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "MikroCloud"
    sys_version = ""

    def read_body(self):
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            parts, total = [], 0
            while True:
                size = int(self.rfile.readline(100).split(b";")[0], 16)
                if size == 0:
                    while self.rfile.readline(65536).strip():
                        pass
                    return b"".join(parts)
                total += size
                if total > MAX_BODY_BYTES:
                    return None
                parts.append(self.rfile.read(size))
                self.rfile.readline(10)
        length = int(self.headers.get("content-length") or 0)
        return self.rfile.read(length) if length <= MAX_BODY_BYTES else None

    def answer(self):
        body = self.read_body()
        if body is None:
            self.close_connection = True
            self.reply(413, [("content-type", "text/plain; charset=utf-8")], b"413 the body is larger than 64 MiB\n")
            return
        try:
            request = Request(self.command, self.path, Headers(self.headers.items()), body)
            result = HANDLER(request)
            if inspect.isawaitable(result):
                result = asyncio.run(wait(result))
            status, headers, body = parse_result(result)
        except Exception:
            traceback.print_exc()
            sys.stderr.flush()
            text = b"500 Internal Server Error\nThe function failed; its log says why.\n"
            status, headers, body = 500, [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")], text
        self.reply(status, headers, body)

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection") and "\n" not in value and "\r" not in value:
                self.send_header(name, value)
        whole = isinstance(body, bytes)
        bare = self.command == "HEAD" or status in (204, 304) or status < 200
        if whole and not bare:
            self.send_header("content-length", str(len(body)))
        elif not bare:
            self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        if bare:
            return
        if whole:
            self.wfile.write(body)
            return
        try:
            for part in body:
                part = part.encode() if isinstance(part, str) else bytes(part)
                if part:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                    self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except Exception:
            traceback.print_exc()
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        pass


async def wait(awaitable):
    return await awaitable


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


if __name__ == "__main__":
    HANDLER = load(sys.argv[1])
    server = Server(("127.0.0.1", int(os.environ["PORT"])), Call)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)
