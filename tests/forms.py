"""Bodies that cost a careless reader more than their size: name, content type, body. A megabyte each, or nearly."""

import json

MEGABYTE = 1 << 20
MULTIPART = "multipart/form-data; boundary=B"
URLENCODED = "application/x-www-form-urlencoded"
NAMED = b"Content-Disposition: form-data; name=a"


def _parts(head: bytes, text: bytes = b"x", room: int = MEGABYTE) -> bytes:
    """As many as fit."""
    part = b"--B\r\n" + head + b"\r\n\r\n" + text + b"\r\n"
    return part * ((room - 10) // len(part)) + b"--B--\r\n"


DEAR = {
    "a header of semicolons": (MULTIPART, _parts(NAMED + b'; b="' + b";" * (MEGABYTE - 200))),
    "many headers of semicolons": (MULTIPART, _parts(NAMED + b'; b="' + b";" * 900)),
    "many files with such headers": (MULTIPART, _parts(NAMED + b'; filename=c; b="' + b";" * 900)),
    "parts of many headers": (MULTIPART, _parts(b"A:b;\r\n" * 150)),
    "very many parts": (MULTIPART, _parts(NAMED, b"")),
    "very many boundaries": (MULTIPART, b"--B\r\n" * (MEGABYTE // 5)),
    "very many fields": (URLENCODED, b"a=&" * (MEGABYTE // 3)),
    "a million ampersands": (URLENCODED, b"&" * MEGABYTE),
    "one field of escapes": (URLENCODED, b"a=" + b"%41" * (MEGABYTE // 3 - 1)),
    "no boundary": ("multipart/form-data", b"x" * MEGABYTE),
    "no end": (MULTIPART, b"--B\r\n" + NAMED + b"\r\n\r\n" + b"\r\n-" * (MEGABYTE // 3 - 20)),
    "a broken boundary": ("multipart/form-data; boundary=" + "-" * 70, b"-" * MEGABYTE),
    "a type of semicolons": (MULTIPART + '; c="' + ";" * 15_000, _parts(NAMED)),
}

FORM = 64 << 10  # the most that is read
DEAR_PAGE_FORMS = {
    "many fields": (URLENCODED, b"&".join(b"%d=1" % number for number in range(599))),
    "too many fields": (URLENCODED, b"a=&" * (FORM // 3)),
    "nothing but ampersands": (URLENCODED, b"&" * FORM),
    "one field of escapes": (URLENCODED, b"a=" + b"%41" * (FORM // 3 - 1)),
    "one field of half escapes": (URLENCODED, b"a=" + b"%4" * (FORM // 2 - 1)),
    "one field of plusses": (URLENCODED, b"a=" + b"+" * (FORM - 2)),
}
DEAR_QUICK_FORMS = {
    "many headers of semicolons": (MULTIPART, _parts(NAMED + b";" * 900, room=FORM)),
    "many quoted semicolons": (MULTIPART, _parts(NAMED + b'; b="' + b";" * 900, room=FORM)),
    "parts of many headers": (MULTIPART, _parts(b"A:b;\r\n" * 150, room=FORM)),
    "very many parts": (MULTIPART, _parts(NAMED, b"", room=FORM)),
}
NAMES = 80_000
_MANY = {f"k{number}": 1 for number in range(NAMES)}
_SOME = dict(list(_MANY.items())[:1600])
OBJECTS = {
    name: json.dumps(said, separators=(",", ":")).encode()
    for name, said in {
        "very many names": _MANY,
        "very many arguments": {"task": "analysis.report", "args": _MANY},
        "very many names in each step": {"task": "analysis.report", "then": [{"task": "a", **_SOME}] * 50},
        "very many steps": {"task": "analysis.report", "then": [1] * 500_000},
        "one long value": {"task": "analysis.report", "priority": "x" * 1_000_000},
        "one long name": {"x" * 1_000_000: 1},
    }.items()
}


def post(path: str, kind: str, body: bytes, head: str = "") -> bytes:
    lines = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{head}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return lines.encode() + b"\r\n" + body
