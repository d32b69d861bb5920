"""Text in files: what of many files may have a match, for the engine to look at closely.

No expression of anybody is run here: one that takes for ever could not be ended. Files are told apart by a plain part of
what is looked for, which comes with the request where there is one.
"""

import os

from content import open_file
from errors import AgentError, as_agent_error
from names import split
from unsized import read_fully

# Text has no NUL; where one is, it is near the beginning, as git has it.
LOOKED_FOR_NUL = 8000
# Where a file has more, it is sent from there to its end.
MAX_LINES = 256
# When an answer has that much, what is left is to be asked for again.
MAX_ANSWER = 4 * 1024 * 1024


class TooLarge(Exception):
    pass


def search(volume, request, _payload, job):
    """The pieces of files that may have a match, a number of paths from the first on.

    `needle`: what each line has that matches, `any_case` of ASCII; without it all lines of text may. `files` are rows of a
    path's place, and of pieces: the number of its first line, and its bytes in the payload. What is gone is not counted.
    """
    any_case = request["any_case"]
    needle = request["needle"] and request["needle"].encode()
    if needle and any_case:
        needle = needle.lower()
    counts = {"done": 0, "searched": 0, "binary": 0, "too_large": 0, "unread": 0}
    rows, payload, size = [], [], 0
    for place, path in enumerate(request["paths"]):
        job.check()
        if size >= MAX_ANSWER:
            break
        counts["done"] += 1
        content = _content(volume, path, request["max_bytes"], counts)
        pieces = [] if content is None else list(_pieces(content, needle, any_case))
        if pieces:
            rows.append([place, [[line, len(piece)] for line, piece in pieces]])
            payload.extend(piece for _, piece in pieces)
            size += sum(len(piece) for _, piece in pieces)
    return {"files": rows, **counts}, b"".join(payload)


def _content(volume, path, max_bytes, counts):
    """All of a text; else None, and it is counted why."""
    try:
        content = _text(volume, path, max_bytes)
    except TooLarge:
        counts["too_large"] += 1
        return None
    except (AgentError, OSError) as error:
        # Gone since its folder was read.
        counts["unread"] += as_agent_error(error).code != "path_not_found"
        return None
    counts["searched"] += 1
    counts["binary"] += content is None
    return content


def _text(volume, path, max_bytes):
    """None for what is no text."""
    with volume.existing(split(path)) as place:
        file = open_file(place)
    try:
        size = os.fstat(file).st_size
        if size > max_bytes:
            raise TooLarge
        content = read_fully(file, LOOKED_FOR_NUL, 0)
        if b"\0" in content:
            return None
        if len(content) == LOOKED_FOR_NUL:
            content += read_fully(file, (size or max_bytes) + 1 - LOOKED_FOR_NUL, LOOKED_FOR_NUL)
        if len(content) > max_bytes:
            raise TooLarge
        return content
    finally:
        os.close(file)


def _pieces(content, needle, any_case):
    """Numbers of lines, from 1, and their bytes: of one line, or of all that follow."""
    if needle is None:
        yield 1, content
        return
    plain = content.lower() if any_case else content
    line, begin = 1, 0
    for _ in range(MAX_LINES):
        at = plain.find(needle, begin)
        if at < 0:
            return
        start = max(begin, content.rfind(b"\n", begin, at) + 1)
        end = content.find(b"\n", at)
        line += content.count(b"\n", begin, start)
        yield line, content[start:] if end < 0 else content[start:end]
        if end < 0:
            return
        line, begin = line + 1, end + 1
    if plain.find(needle, begin) >= 0:
        yield line, content[begin:]
