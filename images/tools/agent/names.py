"""File names are bytes; on the wire they are text, without loss.

Inside the agent a name is a `str` as Python makes it (UTF-8 with surrogateescape). Lone surrogates are no good in
URIs, so on the wire a byte NN that is not part of valid UTF-8 is U+EFNN (the range U+EF80 to U+EFFF, as MirBSD's
OPTU-8 does). A genuine character of that range is sent as its three bytes, each escaped: the mapping is one to one.
src/backend/machine/file-names.ts does the same on the engine's side.
"""

import os
import re

from errors import AgentError

_UNSAFE = re.compile("[\udc80-\udcff\uef80-\uefff]")
_ESCAPED = re.compile("[\uef80-\uefff]")

# Ours while they last: never listed, never walked, refused as input but to the calls that are about them. The rest of
# such a name is 16 random hexadecimal digits: what only begins like one belongs to somebody else.
STAGE = ".berth-stage-"
TEMP = ".berth-tmp-"
SAVE = ".berth-save-"
SWAP = ".berth-swap-"
_OURS = re.compile(r"\.berth-(?:stage|tmp|save|swap)-[0-9a-f]{16}", re.ASCII)

# As Linux has them: each level of a path is work.
MAX_PATH = 4096
MAX_NAME = 255


def _escape(match):
    char = match.group()
    if char < "\ue000":
        return chr(ord(char) - 0xDC00 + 0xEF00)
    return "".join(chr(0xEF00 + byte) for byte in char.encode())


def to_wire(name):
    if name.isascii():
        return name
    return _UNSAFE.sub(_escape, name)


def from_wire(text):
    if text.isascii():
        return text
    return _ESCAPED.sub(lambda match: chr(ord(match.group()) - 0xEF00 + 0xDC00), text)


def is_ours(name, prefix=".berth-"):
    return name.startswith(prefix) and _OURS.fullmatch(name) is not None


def own_name(prefix):
    return prefix + os.urandom(8).hex()


def split(path):
    """The components of a wire path; `..` and what can't be a name are refused."""
    if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
        raise AgentError("bad_request", "a path starts with / and holds no NUL")
    parts = [part for part in from_wire(path).split("/") if part not in ("", ".")]
    if ".." in parts:
        raise AgentError("path_escapes", "`..` is refused")
    try:
        length = len(os.fsencode("/".join(parts)))
    except UnicodeEncodeError:
        raise AgentError("bad_request", "the path holds half a surrogate pair") from None
    if length > MAX_PATH:
        raise AgentError("bad_request", f"a path has at most {MAX_PATH} bytes", path=path[:200] + "…")
    return parts
