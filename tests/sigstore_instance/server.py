"""A small HTTP server on the loopback interface: services hand in routes, clients get answers or refusals."""

import json
import socketserver
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

JsonObject = dict[str, Any]
_HOST = "127.0.0.1"


class Refused(Exception):  # noqa: N818 - what a service says, not a fault of the service
    """A service does not do what was asked, and says why."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    def json(self) -> JsonObject:
        document = json.loads(self.body)
        if not isinstance(document, dict):
            raise Refused("the body is not a JSON object")
        return document


@dataclass(frozen=True)
class Answer:
    """What a service sends back."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    """More than every answer has."""


Routes = Mapping[tuple[str, str], Callable[[Request], Answer]]
"""Method and path to service; a path that ends in ``/*`` matches any one last segment."""


def json_answer(document: JsonObject, status: int = 200) -> Answer:
    return Answer(json.dumps(document).encode(), status)


def _nothing(request: Request) -> Answer:
    raise Refused(f"nothing at {request.path}", 404)


def _dispatch(routes: Routes, method: str, request: Request) -> Answer:
    parent = request.path.rpartition("/")[0]
    service = routes.get((method, request.path)) or routes.get((method, f"{parent}/*")) or _nothing
    try:
        return service(request)
    except Refused as refusal:
        return json_answer({"code": refusal.status, "message": str(refusal)}, refusal.status)
    except (KeyError, TypeError, ValueError) as error:
        # Services read requests without asking first; a member that is absent or of the wrong kind ends here.
        return json_answer({"code": 400, "message": f"malformed request: {error!r}"}, 400)


class _Handler(BaseHTTPRequestHandler):
    # The default protocol, HTTP/1.0, closes each connection after its answer. That is wanted: no socket outlives
    # its exchange, so stopping the instance waits for nothing and no client leaks a pooled connection.

    timeout = 10  # a client that connects and stays silent must not keep the server from stopping

    def __init__(self, routes: Routes, *args: Any) -> None:
        self._routes = routes  # first: the base class answers the request from within its constructor
        super().__init__(*args)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        answer = _dispatch(self._routes, self.command, self._request())
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _request(self) -> Request:
        address = urlsplit(self.path)
        return Request(
            path=address.path,
            query=dict(parse_qsl(address.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: a test's captured output is about the client."""


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for answers under way
    request_queue_size = 64

    def server_bind(self) -> None:
        # HTTPServer's own version asks the resolver for a host name, which may mean the network.
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that has gone away: some ask several services and leave at the first refusal."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class LoopbackServer:
    """Holds a port from the start, because the services' names contain it; answers between start and stop."""

    def __init__(self) -> None:
        self._server = _Server((_HOST, 0), _Handler, bind_and_activate=False)
        self._server.server_bind()
        self._thread: threading.Thread | None = None
        self.authority = f"{_HOST}:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.authority}"

    def start(self, routes: Routes) -> None:
        if self._thread is not None:
            raise RuntimeError("an instance starts once; make another")
        self._server.RequestHandlerClass = partial(_Handler, routes)
        self._server.server_activate()
        # The interval is how often the server looks whether it should stop, hence how long stopping takes.
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and give the port back; does nothing the second time."""
        if self._thread is not None and self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
