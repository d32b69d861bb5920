"""What is in a tree, folder by folder, with what tells whether it has changed; and what of files is asked for then.

`inventory_open` answers a handle, the row of the path itself and that path without links, `inventory_next` lines `[parts, row, rows]`: of a folder, and
of what is in it; folders are rows of their own lines only. They come in the order of manifests. A line whose own row is null
goes on with the folder of the line before. A row is `[name, mode, user, group, size, device, mtime in microseconds, mark,
digest]`. Of what has the same mark in two inventories of one volume nothing has changed; null where that can't be said.
A digest is that of the content (manifest.ContentDigest), where it is known without reading it.
"""

import collections
import hashlib
import itertools
import os
import stat as modes
import threading
import time

import attributes
from duplicate import blocks_of
from entries import LOST_FOUND
from errors import ONE_OF_MANY, AgentError, Cancelled, as_agent_error
from manifest import BLOCK, ContentDigest, Reader
from mounts import kernel_devices
from names import split, to_wire
from places import READ_DIRECTORY, lstat
from walk import GONE, Walk, folders_of

# Rows of one answer, and characters of their names: no answer is longer than the engine takes.
PAGE = 4000
PAGE_TEXT = 1 << 20
# So long, in seconds, files are looked at for one answer.
ENOUGH = 5
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HIDDEN = "trusted."


class Inventories:
    def __init__(self):
        self._numbers = itertools.count(1)
        self._open = {}

    def open(self, volume, request, _payload, job):
        found = _Inventory(volume, request)
        handle = next(self._numbers)
        self._open[handle] = found
        return {"handle": handle, "root": found.root, "real": found.real}

    def next(self, _volume, request, _payload, job):
        found = self._open.get(request["handle"])
        if found is None:
            raise AgentError("gone", "the inventory is no longer open")
        return found.next(job)

    def close(self, _volume, request, _payload, _job):
        found = self._open.pop(request["handle"], None)
        if found is not None:
            found.close()
        return {}

    def close_all(self):
        for handle in list(self._open):
            self.close(None, {"handle": handle}, None, None)


class _Inventory:
    def __init__(self, volume, request):
        self._failed = collections.deque()
        self._page = None
        self._closers = []
        self._turn = threading.Lock()
        self._check = lambda: None
        self._is_closed = False
        with volume.existing(split(request["path"])) as place:
            parts = tuple(part for part in place.path.split("/") if part)
            self.root = _row("", place.stat)
            self.real = to_wire(place.path)
            if not place.is_directory:
                self._lines = iter(())
            elif request.get("manifest"):
                self._lines = self._kept(_manifest_of(volume.root), parts)
            else:
                without = request.get("without", ())
                folder = os.open(place.name, READ_DIRECTORY, dir_fd=place.directory)
                self._closers.append(lambda: os.close(folder))
                self._lines = self._living(folder, not parts, frozenset(without))

    def next(self, job):
        """What could not be read comes no later than what comes after it in the order."""
        with self._turn:
            self._check = job.check
            if self._page is None:
                self._page = self._collect()
            failed = self._some_failed()
            if self._failed:
                return {"lines": [], "failed": failed}
            page, self._page = self._page, None
            return {**page, "failed": failed}

    def _collect(self):
        lines, count, text = [], 0, 0
        for parts, row, rows in self._lines:
            names = [to_wire(part) for part in parts]
            lines.append([names, row, rows])
            count += len(rows) + 1
            text += sum(map(len, names)) + sum(len(each[0]) for each in rows)
            if count >= PAGE or text >= PAGE_TEXT:
                return {"lines": lines}
        return {"lines": lines, "end": True}

    def _some_failed(self):
        failed, text = [], 0
        while self._failed and text < PAGE_TEXT:
            failed.append(self._failed.popleft())
            text += 200 + len(failed[-1]["path"])
        return failed

    def close(self):
        """Ends an answer that is under way, and waits for that."""
        self._is_closed = True
        with self._turn:
            if hasattr(self._lines, "close"):
                self._lines.close()
            while self._closers:
                self._closers.pop()()

    def _go_on(self):
        if self._is_closed:
            raise Cancelled()
        self._check()

    def _living(self, root, is_top, without):
        walk = Walk(root)
        made_up = kernel_devices()
        try:
            for parts, entries in folders_of(walk, self._go_on, self._note, made_up):
                if parts and parts[0] in without:
                    continue
                if is_top and parts == (LOST_FOUND,) and not entries and _is_roots(walk.folder):
                    continue
                own = _row("", os.fstat(walk.folder))
                rows = [_row(name, status) for name, status in entries if not modes.S_ISDIR(status.st_mode)]
                yield from _pages(parts, own, rows)
        finally:
            walk.close()

    def _kept(self, file, top):
        with file:
            for parts, facts, files in Reader(file).lines():
                self._go_on()
                if parts[: len(top)] != top:
                    if parts > top:
                        return
                    continue
                below = parts[len(top) :]
                if parts == (LOST_FOUND,) and not files and facts[1] == 0:
                    continue
                rows = [_row_of(name, *entry) for name, entry in files.items()]
                yield from _pages(below, _row_of("", facts, None), rows)

    def _note(self, parts, error):
        self._failed.append(_failure(to_wire("/" + "/".join(parts)), error))


def _pages(parts, own, rows):
    yield parts, own, rows[:PAGE]
    for start in range(PAGE, len(rows), PAGE):
        yield parts, None, rows[start : start + PAGE]


def _manifest_of(root):
    """Of a snapshot, beside its tree."""
    return open(os.open("../manifest", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=root))


def _is_roots(folder):
    return os.fstat(folder).st_uid == 0


def _row(name, status):
    mode = status.st_mode
    return [
        to_wire(name),
        mode,
        status.st_uid,
        status.st_gid,
        0 if modes.S_ISDIR(mode) else status.st_size,
        status.st_rdev,
        status.st_mtime_ns // 1000,
        f"{status.st_ino:x}.{status.st_ctime_ns:x}",
        None,
    ]


def _row_of(name, facts, digest):
    mode, user, group, size, device, modified, changed, inode, _ = facts
    mark = None if changed is None else f"{inode:x}.{changed:x}"
    return [to_wire(name), mode, user, group, size, device, modified // 1000, mark, digest]


def details(volume, request, _payload, job):
    """Of some paths, from the first on: `[target of a link, digest of attributes, digest of content]`.

    `files` are rows of a path, and whether its content is to be read. In the place of what is gone is null, of what can't be
    read `{path, code, detail}`.
    """
    walk = Walk(_readable(volume.root))
    end = time.monotonic() + ENOUGH
    rows = []
    try:
        for path, is_wanted in request["files"]:
            job.check()
            if rows and time.monotonic() > end:
                break
            rows.append(_details(walk, path, is_wanted, job))
    finally:
        walk.close()
    return {"rows": rows}


def _details(walk, path, is_wanted, job):
    try:
        *above, name = split(path) or ["."]
        walk.go(tuple(above))
        status = lstat(name, walk.folder)
        if status is None:
            return None
        if modes.S_ISLNK(status.st_mode):
            return [to_wire(os.readlink(name, dir_fd=walk.folder)), "", None]
        if not modes.S_ISREG(status.st_mode) and not modes.S_ISDIR(status.st_mode):
            return [None, "", None]
        file = os.open(name, READ_DIRECTORY if modes.S_ISDIR(status.st_mode) else _FILE, dir_fd=walk.folder)
        try:
            is_read = is_wanted and modes.S_ISREG(status.st_mode)
            return [None, _digest_of_attributes(file), content_digest(file, job.check) if is_read else None]
        finally:
            os.close(file)
    except GONE:
        return None
    except Cancelled:
        raise
    except (AgentError, *ONE_OF_MANY) as error:
        return _failure(path, error)


def _failure(path, error):
    return {**as_agent_error(error).reply(None), "path": path}


def _readable(root):
    return os.open(".", READ_DIRECTORY, dir_fd=root)


def content_digest(file, check):
    """As manifests have it, of an open file."""
    size = os.fstat(file).st_size
    digest = ContentDigest()
    if size <= BLOCK:
        content = os.pread(file, BLOCK + 1, 0)
        size = max(size, len(content))
        digest.add(0, content[:BLOCK])
        return digest.hex(size)
    for number, block, _ in blocks_of(file, size):
        check()
        digest.add(number, block)
    return digest.hex(size)


def _digest_of_attributes(file):
    """Empty where there are none. Those that not everybody sees do not count."""
    found = {name: value for name, value in attributes.read(file).items() if not name.startswith(_HIDDEN)}
    if not found:
        return ""
    digest = hashlib.sha256()
    for name in sorted(os.fsencode(name) for name in found):
        value = found[os.fsdecode(name)]
        digest.update(b"%d %d " % (len(name), len(value)) + name + value)
    return digest.hexdigest()
