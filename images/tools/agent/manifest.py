"""What was in a tree: a line of JSON for each directory, from the root down, each before those below it.

A line is `[parts, facts, [[name, facts, digest], …]]`: of the directory itself, and of what is in it that is no
directory. Facts are `[mode, user, group, size, device, modified, changed, inode, names]`, times in nanoseconds, `names`
how many a file has. `changed` is null where the file may have been written to since without another time: it counts as changed. The digest is that of a
file's content, see `ContentDigest`; null for what has none.
"""

import hashlib
import json
import stat as modes

BLOCK = 128 * 1024
_ZEROS = bytes(BLOCK)


def facts_of(status, since=None):
    """`since`: what changed then or later may change again without another time."""
    changed = status.st_ctime_ns
    is_folder = modes.S_ISDIR(status.st_mode)
    return [
        status.st_mode,
        status.st_uid,
        status.st_gid,
        0 if is_folder else status.st_size,
        status.st_rdev,
        status.st_mtime_ns,
        None if since is not None and changed >= since else changed,
        status.st_ino,
        1 if is_folder else status.st_nlink,
    ]


def has_names(facts):
    """Whether a file had several names."""
    return facts[8] > 1


def is_same(facts, status):
    return facts is not None and facts[6] is not None and facts == facts_of(status)


class Writer:
    def __init__(self, file):
        self._file = file

    def line(self, parts, facts, entries):
        self._file.write(json.dumps([parts, facts, entries], separators=(",", ":")) + "\n")

    def again(self, line):
        """As another manifest has it."""
        self._file.write(line)


class Reader:
    """Reads a manifest beside a walk that takes the same order, so that neither has to be kept in memory."""

    def __init__(self, file):
        self._lines = iter(file) if file is not None else iter(())
        self._next = self._read()

    def of(self, parts):
        """Facts of a directory, its entries by name, and the line itself. `parts` must come in order."""
        while self._next is not None and self._next[0] < parts:
            self._next = self._read()
        if self._next is None or self._next[0] != parts:
            return None, {}, None
        return self._next[1:]

    def lines(self):
        """Parts, facts and entries by name of each directory that is left."""
        while self._next is not None:
            yield self._next[:3]
            self._next = self._read()

    def _read(self):
        line = next(self._lines, None)
        if line is None:
            return None
        parts, facts, entries = json.loads(line)
        return tuple(parts), facts, {name: (entry, digest) for name, entry, digest in entries}, line


class ContentDigest:
    """SHA-256 of a file's blocks of 128 KiB, each after its number in 8 bytes; blocks of zeros, and holes, are left out.

    So a file of holes takes no time, and holes may become zeros and come back.
    """

    def __init__(self):
        self._hash = hashlib.sha256()

    def add(self, number, block):
        if block != _ZEROS[: len(block)]:
            self._hash.update(number.to_bytes(8, "big"))
            self._hash.update(block)

    def hex(self, size):
        """With the size of the file, as zeros at the end would else be nothing."""
        self._hash.update(size.to_bytes(8, "big"))
        return self._hash.hexdigest()
