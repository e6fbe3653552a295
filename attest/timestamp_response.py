"""Time-stamping answers whose certificates stand in another order than DER wants, put into that order.

`openssl ts`, and authorities built on it, write the certificates of a CMS SignedData as they were given, signer first.
RFC 5652 wants a SET OF in DER there, sorted (X.690, 11.6), and strict readers refuse the rest. Nobody signs that set,
so sorting it changes nothing that anybody vouched for; it moves bytes and changes no length. Pure.
"""

_SEQUENCE, _CERTIFICATES, _CONTENT, _OBJECT, _INTEGER, _SET = 0x30, 0xA0, 0xA0, 0x06, 0x02, 0x31
_BEFORE = (_INTEGER, _SET, _SEQUENCE)
"""What stands before the certificates in a SignedData: version, digest algorithms, content."""
_LONG_FORM, _MAX_LENGTH_BYTES = 0x80, 4
_MAX_CERTIFICATES = 100


def in_der_order(response: bytes) -> bytes:
    """The answer (RFC 3161, 2.4.2) with its certificates sorted; unchanged if it is not one, for decoders to refuse."""
    try:
        start, end = _certificates(response)
        found: list[bytes] = []
        at = start
        while at < end:
            if len(found) == _MAX_CERTIFICATES:
                return response
            _, _, after = _element(response, at, end)
            found.append(response[at:after])
            at = after
    except ValueError:
        return response
    return response[:start] + b"".join(sorted(found)) + response[end:]


def _certificates(response: bytes) -> tuple[int, int]:
    """Where the content of the set begins and ends. Raises ValueError if there is none."""
    start, end = _inside(response, 0, len(response), _SEQUENCE)
    _, _, token = _element(response, start, end)  # after the status
    start, end = _inside(response, token, end, _SEQUENCE)
    start, end = _inside(response, _after(response, start, end, _OBJECT), end, _CONTENT)
    at, end = _inside(response, start, end, _SEQUENCE)
    for tag in _BEFORE:
        at = _after(response, at, end, tag)
    return _inside(response, at, end, _CERTIFICATES)


def _inside(data: bytes, at: int, limit: int, tag: int) -> tuple[int, int]:
    found, start, end = _element(data, at, limit)
    if found != tag:
        raise ValueError(f"tag {found:#x}, expected {tag:#x}")
    return start, end


def _after(data: bytes, at: int, limit: int, tag: int) -> int:
    return _inside(data, at, limit, tag)[1]


def _element(data: bytes, at: int, limit: int) -> tuple[int, int, int]:
    """Tag, and where the content begins and ends. Raises ValueError for what lies beyond the limit."""
    if at + 2 > limit:
        raise ValueError("cut off")
    length, start = data[at + 1], at + 2
    if length >= _LONG_FORM:
        count = length - _LONG_FORM
        if not 0 < count <= _MAX_LENGTH_BYTES or start + count > limit:
            raise ValueError("a length that DER does not have here")
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    if start + length > limit:
        raise ValueError("cut off")
    return data[at], start, start + length
