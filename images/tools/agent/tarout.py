"""A tar of what is at a path, made piece by piece as it is asked for, with holes, attributes and exact times.

Files that are larger than `bulk` and hold data only may be left to whoever asks: then the answer says where the content
of one belongs.
"""

import os
import stat as modes

import attributes
from entries import LOST_FOUND, is_unused
from errors import ONE_OF_MANY, AgentError, as_agent_error
from holes import data_ranges, has_holes
from names import MAX_PATH, is_ours, split, to_wire
from places import READ_DIRECTORY
from tarformat import END, Entry, encode, padding
from unsized import Unsized

PIECE = 1024 * 1024
# Holes that are smaller in all are sent as zeros; so are those between two parts, as each part costs a line.
MIN_SAVED = 64 * 1024
MIN_HOLE = 4096
# More of them cost more than the zeros between them; whoever reads the map has it in memory.
MAX_PARTS = 100_000
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Bulk:
    """Stands for the content of a file."""

    def __init__(self, path, size):
        self.path = path
        self.size = size


class TarOut:
    def __init__(self, volume, request, copied=None):
        """`copied` notes what is read."""
        self._bulk = request.get("bulk")
        # Names of one file: the first, by device and inode.
        self._linked = {}
        self._copied = copied
        self._unsized = Unsized()
        self.failed = []
        # Sockets: no tar can carry them, and that is no failure for those who want a tar.
        self.left_out = []
        with volume.existing(split(request["path"]), follow=False) as place:
            self._is_root = place.is_root
            self._base = place.path.rsplit("/", 1)[0]
            directory = os.dup(place.directory)
            self._chunks = self._pack(directory, place.name)

    def next(self):
        """A reply and about a megabyte. `end` is in the last reply, with what could not be read, and what no tar carries."""
        gathered, size = [], 0
        for item in self._chunks:
            if isinstance(item, Bulk):
                return {"bulk": {"path": to_wire(item.path), "size": item.size}}, b"".join(gathered)
            gathered.append(item)
            size += len(item)
            if size >= PIECE:
                return {}, gathered[0] if len(gathered) == 1 else b"".join(gathered)
        failed = [{**error.reply(None), "path": to_wire(path)} for path, error in self.failed]
        left_out = [to_wire(path) for path in self.left_out]
        return {"end": True, "failed": failed, "left_out": left_out}, b"".join(gathered)

    def close(self):
        self._chunks.close()

    def _pack(self, directory, name):
        try:
            yield from self._node(directory, name, os.fsencode(name), f"{self._base}/{name}")
        finally:
            os.close(directory)
        yield END

    def _node(self, directory, name, stored, path):
        try:
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            mode = status.st_mode
            if modes.S_ISSOCK(mode):
                self.left_out.append(path)
                return
            if status.st_nlink > 1 and not modes.S_ISDIR(mode):
                first = self._linked.setdefault((status.st_dev, status.st_ino), stored)
                if first is not stored:
                    self._note(status)
                    yield encode(Entry(stored, b"1", status, link=first))
                    return
            if modes.S_ISREG(mode):
                yield from self._file(directory, name, stored, path)
            elif modes.S_ISDIR(mode):
                yield from self._folder(directory, name, stored, path, status)
            elif modes.S_ISLNK(mode):
                self._note(status)
                target = os.fsencode(os.readlink(name, dir_fd=directory))
                yield encode(Entry(stored, b"2", status, link=target))
            elif modes.S_ISFIFO(mode):
                self._note(status)
                yield encode(Entry(stored, b"6", status))
            else:
                self.failed.append((path, AgentError("not_supported", "it is neither a file, a folder nor a link")))
        except ONE_OF_MANY as error:
            # Gone since its folder was read, or not for us to read.
            if not isinstance(error, FileNotFoundError) or path == f"{self._base}/{name}":
                self.failed.append((path, as_agent_error(error)))

    def _note(self, status):
        if self._copied is not None:
            self._copied.note(status)

    def _folder(self, directory, name, stored, path, status):
        if len(stored) > MAX_PATH - 2:
            # Named once: nothing in it could be made elsewhere either.
            self.failed.append((path, AgentError("too_large", "its path is too long to be copied")))
            return
        try:
            folder = os.open(name, READ_DIRECTORY, dir_fd=directory)
        except PermissionError:
            # As cp does it: the folder comes, only what is in it does not.
            yield encode(Entry(stored + b"/", b"5", status))
            raise
        try:
            status = os.fstat(folder)
            self._note(status)
            yield encode(Entry(stored + b"/", b"5", status, attributes=attributes.read(folder)))
            with os.scandir(folder) as entries:
                children = [item for item in entries if not is_ours(item.name)]
            if self._is_root and path == f"{self._base}/.":
                children = [item for item in children if item.name != LOST_FOUND or not is_unused(folder, item)]
                path = self._base
            for child in sorted(item.name for item in children):
                yield from self._node(folder, child, stored + b"/" + os.fsencode(child), f"{path}/{child}")
        finally:
            os.close(folder)

    def _file(self, directory, name, stored, path):
        file = os.open(name, _FILE, dir_fd=directory)
        try:
            status = os.fstat(file)
            if not modes.S_ISREG(status.st_mode):
                raise FileNotFoundError(2, "it was a file and is none any more")
            self._note(status)
            content = self._unsized.content(file, status)
            if content is not None:
                size = len(content)
                yield encode(Entry(stored, b"0", status, size, b"", attributes.read(file)))
                yield content + bytes(padding(size))
                return
            size = status.st_size
            parts = _parts(file, size) if has_holes(status) else None
            yield encode(Entry(stored, b"0", status, size, b"", attributes.read(file), parts))
            if self._bulk is not None and parts is None and size >= self._bulk:
                yield Bulk(path, size)
                yield bytes(padding(size))
                return
            sent = 0
            for offset, length in parts if parts is not None else ((0, size),):
                yield from self._data(file, offset, length, path)
                sent += length
            if pad := padding(sent):
                yield bytes(pad)
        finally:
            os.close(file)

    def _data(self, file, at, left, path):
        while left > 0:
            piece = os.pread(file, min(left, PIECE), at)
            if not piece:
                self.failed.append((path, AgentError("in_use", "it became shorter while it was read")))
                while left > 0:
                    yield bytes(min(left, PIECE))
                    left -= PIECE
                return
            at += len(piece)
            left -= len(piece)
            yield piece


def _parts(file, size):
    """Where the data is; None when the holes are not worth it."""
    parts = []
    for start, end in data_ranges(file, size):
        if parts and start - sum(parts[-1]) < MIN_HOLE:
            parts[-1] = (parts[-1][0], end - parts[-1][0])
        else:
            parts.append((start, end - start))
            if len(parts) > MAX_PARTS:
                return None
    if size - sum(length for _, length in parts) < MIN_SAVED:
        return None
    if not parts or sum(parts[-1]) < size:
        parts.append((size, 0))
    return parts
