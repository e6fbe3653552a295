"""A small honest OCI 1.1 registry on loopback, and the ways in which a registry can be dishonest.

It checks digests itself, refuses manifests whose blobs it does not have, lists referrers and says `OCI-Subject`.
`Bend` changes one thing. Source: OCI distribution specification 1.1.
"""

import base64
import hashlib
import json
import re
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
INDEX = "application/vnd.oci.image.index.v1+json"
_ROUTE = re.compile(r"/v2/(?P<name>[a-z0-9/._-]+?)/(?P<kind>manifests|blobs|referrers)/(?P<rest>.+)")


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class Reply:
    """What is sent back; a test may bend it on the way."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]


Bend = Callable[[Seen, Reply], Reply]


class OciRegistry:
    """Blobs, manifests and tags of any repository, in memory."""

    def __init__(
        self,
        *,
        referrers_api: bool = True,
        password: str = "",
        token_service: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.referrers_api = referrers_api
        self.password = password
        self.token_service = token_service
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.tags: dict[tuple[str, str], str] = {}
        self.seen: list[Seen] = []
        self.page_size = 0
        self.deletes = True
        self.endless = ""
        self.bend: Bend = lambda seen, reply: reply
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=0.01), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def put_image(self, name: str, tag: str, layer: bytes = b"weights") -> str:
        """An artifact as another tool would have pushed it; returns its digest."""
        empty = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2}
        blob = {"mediaType": "application/octet-stream", "digest": digest_of(layer), "size": len(layer)}
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": "application/vnd.example.model",
            "config": empty,
            "layers": [blob],
        }
        self.blobs.update({digest_of(b"{}"): b"{}", digest_of(layer): layer})
        return self.store(name, tag, json.dumps(manifest).encode())

    def store(self, name: str, tag: str, data: bytes, media_type: str = "") -> str:
        digest = digest_of(data)
        self.manifests[digest] = (media_type or str(json.loads(data)["mediaType"]), data)
        if tag:
            self.tags[name, tag] = digest
        return digest

    def documents(self) -> dict[str, Json]:
        return {digest: json.loads(data) for digest, (_, data) in self.manifests.items()}

    def answer(self, seen: Seen, body: bytes) -> Reply:
        if urlsplit(seen.path).path == "/token":
            return self._token(seen)
        if not self._allowed(seen):
            kind = f'Bearer realm="{self.scheme}://{self.host}/token",service="test",scope="repository:x:pull,push"'
            challenge = kind if self.token_service else 'Basic realm="test"'
            return Reply(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', {"WWW-Authenticate": challenge})
        match = _ROUTE.fullmatch(urlsplit(seen.path).path)
        if not match:
            return Reply(404, b"404 page not found")
        name, kind, rest = match.group("name"), match.group("kind"), match.group("rest")
        if kind == "referrers":
            return self._referrers(rest, seen.path) if self.referrers_api else Reply(404, b"404 page not found")
        return (
            self._blob(seen, name, rest, body)
            if kind == "blobs"
            else self._manifest(seen.method, name, rest, seen, body)
        )

    def _token(self, seen: Seen) -> Reply:
        return Reply(200, b'{"token":"a-token"}') if self._basic(seen) else Reply(401)

    def _allowed(self, seen: Seen) -> bool:
        if not self.password:
            return True
        if self.token_service:
            return seen.headers.get("authorization") == "Bearer a-token"
        return self._basic(seen)

    def _basic(self, seen: Seen) -> bool:
        expected = base64.b64encode(f"publisher:{self.password}".encode()).decode()
        return seen.headers.get("authorization") == f"Basic {expected}"

    def _blob(self, seen: Seen, name: str, rest: str, body: bytes) -> Reply:
        if seen.method == "POST":
            return Reply(202, headers={"Location": f"/v2/{name}/blobs/uploads/1?state=x"})
        if seen.method == "PUT":
            digest = parse_qs(urlsplit(seen.path).query)["digest"][0]
            if digest_of(body) != digest:
                return Reply(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
            self.blobs[digest] = body
            return Reply(201, headers={"Location": f"/v2/{name}/blobs/{digest}"})
        found = self.blobs.get(rest)
        return Reply(404) if found is None else Reply(200, found, {"Content-Type": "application/octet-stream"})

    def _manifest(self, method: str, name: str, target: str, seen: Seen, body: bytes) -> Reply:
        if method == "PUT":
            return self._put_manifest(name, target, seen.headers["content-type"], body)
        digest = target if target.startswith("sha256:") else self.tags.get((name, target), "")
        if digest not in self.manifests:
            return Reply(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
        if method == "DELETE" and not self.deletes:
            return Reply(405, b'{"errors":[{"code":"UNSUPPORTED"}]}')
        if method == "DELETE":
            del self.manifests[digest]
            return Reply(202)
        media_type, data = self.manifests[digest]
        return Reply(200, data, {"Content-Type": media_type, "Docker-Content-Digest": digest})

    def _put_manifest(self, name: str, target: str, media_type: str, body: bytes) -> Reply:
        document = json.loads(body)
        digest = digest_of(body)
        if target.startswith("sha256:") and target != digest:
            return Reply(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
        named = [document[key] for key in ("config",) if key in document] + document.get("layers", [])
        if media_type != document["mediaType"] or any(self.blobs.get(d["digest"]) is None for d in named):
            return Reply(400, b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}')
        self.store(name, "" if target == digest else target, body, media_type)
        headers = {"Docker-Content-Digest": digest}
        if self.referrers_api and "subject" in document:
            headers["OCI-Subject"] = document["subject"]["digest"]
        return Reply(201, headers=headers)

    def _referrers(self, subject: str, path: str) -> Reply:
        entries = [
            {
                "mediaType": media_type,
                "digest": digest,
                "size": len(data),
                "artifactType": json.loads(data).get("artifactType", ""),
                "annotations": json.loads(data).get("annotations", {}),
            }
            for digest, (media_type, data) in self.manifests.items()
            if json.loads(data).get("subject", {}).get("digest") == subject
        ]
        headers = {"Content-Type": INDEX}
        if self.page_size:
            start = int(parse_qs(urlsplit(path).query).get("start", ["0"])[0])
            if start + self.page_size < len(entries):
                headers["Link"] = f'<{urlsplit(path).path}?start={start + self.page_size}>; rel="next"'
            entries = entries[start : start + self.page_size]
        return Reply(200, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode(), headers)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        registry = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen = Seen(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
                registry.seen.append(seen)
                if registry.endless and registry.endless in self.path:
                    self._never_end()
                    return
                reply = registry.bend(seen, registry.answer(seen, body))
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)

            def _never_end(self) -> None:
                self.send_response(200)
                self.end_headers()
                with suppress(OSError):  # until the other side has had enough
                    while True:
                        self.wfile.write(bytes(1 << 16))

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler
