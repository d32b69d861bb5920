"""The end of a move: what was copied goes, and nothing else.

While it is read, of each file its device, inode and ctime are noted. A name is removed when it still leads to such a
file; a folder when it was copied and nothing is left in it. src/backend/files/disk/agent/copied.ts does the same.
"""

import array
import errno
import os
import stat as modes
import time

from errors import AgentError, as_agent_error
from names import is_ours, split, to_wire
from places import lstat
from trees import Descent, Removal, refuse_mounts, refuse_root

# Of one move, in 96 to 192 MiB. The engine says the same (src/backend/files/agent/agent-files.ts).
MAX_NOTED = 4_000_000
# The clock of a file system ticks that often at least: what is written in the same tick has the same ctime.
TICK = 20_000_000
FOLDER = -(1 << 63)
GONE = FOLDER + 1
NONE = FOLDER + 2
_WORD = (1 << 64) - 1
_SPREAD = 0x9E3779B97F4A7C15
_NAME = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class Table:
    """Numbers by inode, at 24 to 48 bytes for each: 32 MiB for a million, a fifth of what a dict takes."""

    def __init__(self):
        self._count = 0
        self._make(10)

    def get(self, inode):
        at = self._slot(inode)
        return self._values[at] if self._keys[at] else NONE

    def set(self, inode, value):
        if self._count * 3 >= len(self._keys) * 2:
            self._grow()
        at = self._slot(inode)
        if not self._keys[at]:
            self._count += 1
            self._keys[at] = inode
        self._values[at] = value

    def _make(self, bits):
        self._shift = 64 - bits
        self._keys = array.array("Q", [0]) * (1 << bits)
        self._values = array.array("q", [0]) * (1 << bits)

    def _slot(self, inode):
        at = (inode * _SPREAD & _WORD) >> self._shift
        while self._keys[at] and self._keys[at] != inode:
            at = (at + 1) & (len(self._keys) - 1)
        return at

    def _grow(self):
        keys, values = self._keys, self._values
        self._make(65 - self._shift)
        for inode, value in zip(keys, values):
            if inode:
                at = self._slot(inode)
                self._keys[at], self._values[at] = inode, value


class Copied:
    """What was read for one move; used by one request at a time."""

    def __init__(self, most=MAX_NOTED):
        self._devices = {}
        self._room = most
        # Not all was noted: of the rest nobody knows whether it was copied.
        self.is_over = False

    def note(self, status):
        """Before it is read. Of a file with several names the first counts: what changes in between is noticed."""
        table = self._devices.get(status.st_dev)
        if table is None:
            table = self._devices[status.st_dev] = Table()
        if table.get(status.st_ino) == NONE:
            self.is_over = self.is_over or self._room == 0
            if self.is_over:
                return
            self._room -= 1
        if modes.S_ISDIR(status.st_mode):
            table.set(status.st_ino, FOLDER)
            return
        if status.st_ino == 0 or table.get(status.st_ino) > NONE:
            return
        table.set(status.st_ino, status.st_ctime_ns)
        if 0 <= time.time_ns() - status.st_ctime_ns < TICK:
            time.sleep(TICK / 1e9)

    def known(self, status):
        """The ctime that it had, or what no file has: `FOLDER`, `GONE`, `NONE`."""
        table = self._devices.get(status.st_dev)
        return NONE if table is None else table.get(status.st_ino)

    def set(self, status, value):
        self._devices[status.st_dev].set(status.st_ino, value)


class CopiedRemoval:
    """Removes of a tree what was copied; `kept` names what stays, and why."""

    def __init__(self, copied, removal):
        self._copied = copied
        self._removal = removal
        self.kept = []

    def tree(self, name, directory, path):
        status = lstat(name, directory)
        if status is None:
            return
        if self._copied.is_over:
            self._keep(path, "many")
            return
        if not modes.S_ISDIR(status.st_mode):
            self._clear(directory, [name], path.rpartition("/")[0])
            return
        if self._copied.known(status) != FOLDER:
            self._keep(path, "came")
            return
        with Descent(name, directory) as descent:
            is_full = self._empty(descent, path)
        if not is_full:
            self._folder(name, directory, path, status)

    def _empty(self, descent, path):
        """Without recursion. True: something stays. Of each level: its path, the folders left in it, whether it is full."""
        levels = [self._level(descent.folder, path)]
        while True:
            level = levels[-1]
            if level.folders:
                name = level.folders[-1]
                if self._down(descent, level):
                    levels.append(self._level(descent.folder, f"{level.path}/{name}"))
                else:
                    level.folders.pop()
                continue
            levels.pop()
            if not levels:
                return level.is_full
            outer = levels[-1]
            status = os.fstat(descent.folder)
            descent.up()
            name = outer.folders.pop()
            if level.is_full or not self._folder(name, descent.folder, level.path, status):
                outer.is_full = True

    def _down(self, descent, level):
        name = level.folders[-1]
        path = f"{level.path}/{name}"
        try:
            descent.down(name)
        except FileNotFoundError:
            return False
        except OSError as error:
            is_folder = error.errno not in (errno.ENOTDIR, errno.ELOOP)
            self._keep(path, "failed" if is_folder else "came", error)
        else:
            if self._copied.known(os.fstat(descent.folder)) == FOLDER:
                return True
            descent.up()
            self._keep(path, "came")
        level.is_full = True
        return False

    def _level(self, folder, path):
        """Removes the files of an open folder."""
        try:
            with os.scandir(folder) as entries:
                found = sorted((item.name, item.is_dir(follow_symlinks=False)) for item in entries if not is_ours(item.name))
        except OSError as error:
            self._keep(path, "failed", error)
            return Level(path, [], True)
        is_full = self._clear(folder, [name for name, is_directory in found if not is_directory], path)
        return Level(path, [name for name, is_directory in reversed(found) if is_directory], is_full)

    def _clear(self, folder, names, path):
        """True: one of them stays. Who may not remove a file of a folder is told of the folder, once."""
        is_full = False
        failure = None
        for name in names:
            self._removal.check()
            try:
                why = self._file(name, folder)
            except FileNotFoundError:
                continue
            except OSError as error:
                failure = failure or error
                continue
            if why is not None:
                is_full = True
                self._keep(f"{path}/{name}", why)
        if failure is not None:
            self._keep(path or "/", "failed", failure)
        return is_full or failure is not None

    def _file(self, name, folder):
        """Why it stays, None when it is gone."""
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        known = self._copied.known(status)
        if known <= NONE or modes.S_ISDIR(status.st_mode):
            return "came"
        if known != status.st_ctime_ns:
            return "changed"
        if status.st_nlink > 1:
            return self._one_name(name, folder, known)
        os.unlink(name, dir_fd=folder)
        self._removed(status)
        return None

    def _one_name(self, name, folder, known):
        """The others have another ctime then: the new one is noted, if nothing else has changed."""
        file = os.open(name, _NAME, dir_fd=folder)
        try:
            before = os.fstat(file)
            if self._copied.known(before) != known or before.st_ctime_ns != known:
                return "changed"
            os.unlink(name, dir_fd=folder)
            after = os.fstat(file)
        finally:
            os.close(file)
        if after.st_nlink == 0:
            self._removed(before)
            return None
        self._removal.removed()
        if (after.st_mtime_ns, after.st_size, after.st_mode) == (before.st_mtime_ns, before.st_size, before.st_mode):
            self._copied.set(after, after.st_ctime_ns)
        return None

    def _folder(self, name, directory, path, status):
        """False: it stays."""
        try:
            os.rmdir(name, dir_fd=directory)
        except FileNotFoundError:
            return True
        except OSError as error:
            is_filled = error.errno in (errno.ENOTEMPTY, errno.EEXIST)
            self._keep(path, "filled" if is_filled else "failed", error)
            return False
        self._removed(status)
        return True

    def _removed(self, status):
        # Its inode may be another's from now on.
        self._copied.set(status, GONE)
        self._removal.removed()

    def _keep(self, path, why, error=None):
        row = {"path": to_wire(path), "why": why}
        if why == "failed":
            row["detail"] = as_agent_error(error).detail
        self.kept.append(row)


class Level:
    def __init__(self, path, folders, is_full):
        self.path = path
        self.folders = folders
        self.is_full = is_full


def remove_original(place, copied, job):
    """At the end of a move that has nothing to say of a part. Raises `in_use` when something stays."""
    work = CopiedRemoval(copied, Removal(job))
    work.tree(place.name, place.directory, place.path)
    if work.kept:
        count = len(work.kept)
        what = "it" if count == 1 else f"it, and {count - 1} more,"
        raise AgentError("in_use", f"{what} stays: all else was moved", work.kept[0]["path"])


class Notes:
    """The moves that are under way."""

    def __init__(self):
        self._open = {}

    def note_copied(self, _volume, request, _payload, _job):
        self._open[request["note"]] = Copied(request.get("max", MAX_NOTED))
        return {}

    def of(self, request):
        """None where the request names none, or another agent was asked to begin it."""
        return self._open.get(request.get("note"))

    def remove_copied(self, volume, request, _payload, job):
        copied = self.of(request)
        if copied is None:
            raise AgentError("gone", "what was copied is not known any more")
        removal = Removal(job)
        work = CopiedRemoval(copied, removal)
        with volume.find(split(request["path"]), follow=False) as place:
            refuse_root(place)
            if not place.missing:
                if place.is_directory:
                    refuse_mounts(place)
                work.tree(place.name, place.directory, place.path)
        return {"removed": removal.count, "kept": work.kept}

    def forget_copied(self, _volume, request, _payload, _job):
        self._open.pop(request.get("note"), None)
        return {}
