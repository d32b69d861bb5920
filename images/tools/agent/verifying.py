"""Whether a snapshot still holds what its manifest says: each file is there, is what it was, and has the content of its digest.

What has been read once is not read again as long as its inode has the same time of change: `known` has these (verified.py).
Attributes and the targets of links are in no manifest.
"""

import os
import stat as modes
import time

from inventory import content_digest
from places import lstat
from verified import mark_of
from walk import GONE, Walk

STEP_NS = 1_000_000_000
# Problems that are named; the others are counted.
MOST = 1000
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Verifying:
    def __init__(self, tree, known, notes, check, moved):
        """`tree` is an open directory, `notes` those of it. `moved` is told how many bytes were read."""
        self._walk = Walk(tree)
        self._known = known
        self._check = check
        self._moved = moved
        self._notes = notes
        # Folders that the manifest has not named yet, by the folder that they are in: those around where the walk is.
        self._unnamed = []
        # Inodes whose content is not what it was.
        self.bad = set()
        self.problems = []
        self.damaged = 0
        self.checked = 0
        self.read = 0

    def run(self, lines):
        """`lines`: of a manifest, as its reader answers them."""
        try:
            for parts, facts, entries in lines:
                self._check()
                self._leave(parts)
                self._folder(parts, facts, entries)
            self._leave(None)
        finally:
            self._walk.close()

    def _folder(self, parts, facts, entries):
        try:
            self._walk.go(parts)
            names = set(os.listdir(self._walk.folder))
        except GONE:
            self._note(parts, "missing")
            return
        except OSError as error:
            self._note(parts, f"can't be read: {error.strerror}")
            return
        self.checked += 1
        self._compare(parts, facts, os.fstat(self._walk.folder), is_folder=True)
        for name, (entry, digest) in entries.items():
            self._check()
            self._file((*parts, name), name, entry, digest)
        folders = set()
        for name in sorted(names - entries.keys()):
            status = lstat(name, self._walk.folder)
            if status is not None and modes.S_ISDIR(status.st_mode):
                folders.add(name)
            elif status is not None:
                self._note((*parts, name), "is not of the snapshot")
        self._unnamed.append((parts, folders))

    def _leave(self, parts):
        """`parts`: of the folder that comes now; None at the end."""
        while self._unnamed:
            above, folders = self._unnamed[-1]
            if parts is not None and len(parts) > len(above) and parts[: len(above)] == above:
                folders.discard(parts[len(above)])
                return
            self._unnamed.pop()
            for name in sorted(folders):
                self._note((*above, name), "is not of the snapshot")

    def _file(self, parts, name, facts, digest):
        self.checked += 1
        status = lstat(name, self._walk.folder)
        is_device = modes.S_ISCHR(facts[0]) or modes.S_ISBLK(facts[0])
        if status is None:
            # A store that may make no devices has none, which was said when it was made.
            if not is_device:
                self._note(parts, "missing")
            return
        if not self._compare(parts, facts, status) or digest is None or not modes.S_ISREG(status.st_mode):
            return
        mark = mark_of(status.st_ctime_ns, digest)
        if self._known.get(status.st_ino) == mark:
            self._notes.add(status.st_ino, mark)
            return
        before = time.time_ns() - STEP_NS
        try:
            found = self._digest(name)
        except OSError as error:
            self.bad.add(status.st_ino)
            self._note(parts, f"can't be read: {error.strerror}")
            return
        self.read += 1
        self._moved(status.st_size)
        if found != digest:
            self.bad.add(status.st_ino)
            self._note(parts, "has another content")
        elif status.st_ctime_ns < before:
            self._notes.add(status.st_ino, mark)

    def _digest(self, name):
        file = os.open(name, _FILE, dir_fd=self._walk.folder)
        try:
            return content_digest(file, self._check)
        finally:
            os.close(file)

    def _compare(self, parts, facts, status, is_folder=False):
        mode, user, group, size, _, modified = facts[:6]
        if modes.S_IFMT(mode) != modes.S_IFMT(status.st_mode):
            what = "is another kind of file"
        elif not is_folder and size != status.st_size:
            what = f"has {status.st_size} bytes instead of {size}"
        elif mode != status.st_mode or (user, group) != (status.st_uid, status.st_gid):
            what = "has another mode or owner"
        elif not is_folder and modified != status.st_mtime_ns:
            # Who writes changes the time, and its content is still to be looked at.
            self._note(parts, "has another time")
            return True
        else:
            return True
        self._note(parts, what)
        return False

    def _note(self, parts, what):
        if self.problems and self.problems[-1][0] == parts:
            self.problems[-1] = (parts, f"{self.problems[-1][1]}, {what}")
            return
        self.damaged += 1
        if len(self.problems) < MOST:
            self.problems.append((parts, what))
