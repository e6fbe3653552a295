"""One repository in a registry, through oras: bounded in size, time and places, every digest checked by us.

oras gives addresses, uploads, credentials and the session. Its own `do_request` waits for ever, tries an answer 500 for
two minutes, follows redirects and reads bodies of any size; ours does not.
Source: OCI distribution specification 1.1.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import oras.container  # type: ignore[import-untyped]
import oras.provider  # type: ignore[import-untyped]
import requests

from aibom.core.errors import SourceError
from aibom.registry.answers import bounded_body, refusal, unreachable
from aibom.registry.authorization import (
    Credentials,
    basic_authorization,
    bearer_authorization,
    require_confidential,
)
from aibom.registry.manifests import MAX_MANIFEST, SUBJECT_TYPES, Descriptor, describe, media_type_in
from aibom.registry.reference import Reference

_TIMEOUT = (10, 60)
_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_READING = frozenset({"GET", "HEAD"})


class RegistryClient(oras.provider.Registry):  # type: ignore[misc]
    """Manifests and blobs of one repository. Every method raises SourceError."""

    def __init__(
        self, reference: Reference, *, agent: str, plain_http: bool = False, credentials: Credentials | None = None
    ) -> None:
        """Take where to go, who asks, whether without TLS, and credentials that go before the configured ones."""
        super().__init__(hostname=reference.registry, insecure=plain_http)
        self.reference = reference
        self._plain_http = plain_http
        self._credentials = credentials
        self._authorization = ""
        self._container = oras.container.Container(str(reference))
        self._origin = origin_of(self.url("", ""))
        self.session.headers.update({"User-Agent": agent, "Accept-Encoding": "identity"})
        self.session.auth = lambda request: request  # or requests would look for a password in ~/.netrc

    def close(self) -> None:
        """End the connections."""
        self.session.close()

    def url(self, kind: str, name: str) -> str:
        """The address of a manifest, blob or list of referrers."""
        return f"{self.prefix}://{self.reference.registry}/v2/{self.reference.repository}/{kind}/{name}"

    def manifest(self, target: str) -> tuple[bytes, Descriptor] | None:
        """A manifest of any kind by tag or digest, and its descriptor; None if there is none."""
        where = f"{self.reference.registry}/{self.reference.repository}, manifest {target}"
        response = self.exchange("GET", self.url("manifests", target), headers={"Accept": ", ".join(SUBJECT_TYPES)})
        with response:
            if response.status_code == 404:
                return None
            if response.status_code != 200:
                raise refusal(response, "the manifest", where)
            data = self.body(response, MAX_MANIFEST, where)
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
        if media_type not in SUBJECT_TYPES:
            raise SourceError(f"the registry answered with {media_type[:80]!r}, which is no manifest", where=where)
        inside = media_type_in(data, where)
        if inside and inside != media_type:
            raise SourceError(f"the manifest calls itself {inside[:80]!r}, the registry {media_type!r}", where=where)
        found = describe(data, media_type)
        stated = response.headers.get("Docker-Content-Digest") or found.digest
        if stated != found.digest or (target.startswith("sha256:") and target != found.digest):
            raise _wrong_digest(target if target.startswith("sha256:") else stated, found.digest, where)
        return data, found

    def put_manifest(self, target: str, data: bytes, media_type: str) -> Mapping[str, str]:
        """Write a manifest under a tag or its digest, and return the headers of the answer."""
        response = self.exchange("PUT", self.url("manifests", target), data=data, headers={"Content-Type": media_type})
        with response:
            return response.headers

    def delete_manifest(self, digest: str) -> None:
        """Remove a manifest; many registries do not allow it."""
        self.exchange("DELETE", self.url("manifests", digest)).close()

    def blob(self, descriptor: Descriptor, limit: int) -> bytes:
        """The bytes that a descriptor names, checked against its size and digest."""
        where = f"{self.reference.registry}/{self.reference.repository}, blob {descriptor.digest}"
        if descriptor.size > limit:
            raise SourceError(f"{descriptor.size} bytes; at most {limit} are read", where=where)
        with self.exchange("GET", self.url("blobs", descriptor.digest)) as response:
            if response.status_code != 200:
                raise refusal(response, "a file", where)
            data = self.body(response, descriptor.size, where)
        found = describe(data, descriptor.media_type)
        if (found.size, found.digest) != (descriptor.size, descriptor.digest):
            raise _wrong_digest(descriptor.digest, found.digest, where)
        return data

    def put_blob(self, data: bytes) -> None:
        """Write a blob unless the registry has it."""
        layer = {"digest": describe(data, "").digest, "size": len(data)}
        with tempfile.TemporaryDirectory(prefix="aibom-") as folder:
            path = Path(folder) / "blob"
            path.write_bytes(data)
            try:
                self.upload_blob(str(path), self._container, layer)
            except (ValueError, requests.RequestException) as error:
                raise SourceError("the registry does not say where to upload to", where=str(self.reference)) from error

    def do_request(
        self,
        url: str,
        method: str = "GET",
        data: Any = None,
        headers: dict[str, str] | None = None,
        json: Any = None,
        stream: bool = False,
    ) -> requests.Response:
        """What the methods of oras call: status and headers of one exchange, without its body."""
        response = self.exchange(method, url, data=data, headers=headers)
        response.close()
        return response

    def exchange(
        self, method: str, url: str, *, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """One request, with credentials if the registry asks for them; the body of the answer is not read yet.

        A refusal of credentials raises, and so does any refusal to write.
        """
        try:
            response = self._follow(method, url, data, headers or {})
            if response.status_code == 401:
                response.close()
                self._authorize(response.headers.get("WWW-Authenticate", ""))
                response = self._follow(method, url, data, headers or {})
        except (requests.RequestException, ValueError) as error:
            raise unreachable(error, self.reference.registry) from error
        if response.status_code in {401, 403} or (method not in _READING and response.status_code >= 400):
            with response:
                raise refusal(response, "access" if method in _READING else "to write", str(self.reference))
        return response

    def body(self, response: requests.Response, limit: int, where: str) -> bytes:
        """The body of an answer of ours, bounded."""
        try:
            return bounded_body(response, limit, where)
        except requests.RequestException as error:
            raise unreachable(error, self.reference.registry) from error

    def _follow(self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> requests.Response:
        for _ in range(_MAX_REDIRECTS + 1):
            ours = origin_of(url) == self._origin
            if not ours and not (method in _READING and url.startswith("https://")):
                raise SourceError(
                    f"the registry sends us elsewhere to {'read' if method in _READING else 'write'}",
                    where=f"{self.reference.registry} → {urlsplit(url).scheme}://{urlsplit(url).hostname}",
                    hint="reading goes on with TLS only, writing on the same registry only",
                )
            sent = {**headers, "Authorization": self._authorization} if ours and self._authorization else dict(headers)
            response: requests.Response = self.session.request(
                method, url, data=data, headers=sent, stream=True, allow_redirects=False, timeout=_TIMEOUT, verify=True
            )
            if response.status_code not in _REDIRECTS:
                return response
            response.close()
            url = urljoin(url, response.headers.get("Location", ""))
        raise SourceError(f"more than {_MAX_REDIRECTS} redirects", where=self.reference.registry)

    def _authorize(self, challenge: str) -> None:
        """Answer a challenge; without credentials a token service is asked for what everybody may do."""
        basic = basic_authorization(self._container, self._credentials)
        if basic:  # whoever can read what we send can also forge a challenge, and name a token service of his own
            require_confidential(f"{self.prefix}://{self.reference.registry}", "a password")
        if challenge.lower().startswith("bearer "):
            self._authorization = bearer_authorization(self.session, challenge, basic, self._plain_http)
        elif challenge.lower().startswith("basic ") and basic:
            self._authorization = basic


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address. Raises ValueError."""
    address = urlsplit(url)
    return address.scheme, address.hostname or "", address.port or (443 if address.scheme == "https" else 80)


def _wrong_digest(expected: str, found: str, where: str) -> SourceError:
    return SourceError(
        f"the registry sent other bytes than it names: expected {expected[:80]}, found {found}",
        where=where,
        hint="nothing of it was kept; do not trust this copy, and tell who runs the registry",
    )
