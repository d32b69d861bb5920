"""What arrived lasts: its content is on the disk before it is put where it belongs, and its name before that is told.

Otherwise a machine that dies within half a minute keeps the names, of files that hold nothing.
"""

import contextlib
import ctypes
import errno
import os

from places import READ_DIRECTORY

# So many are written one by one; for more, the whole file system is asked, with what others have in it.
FEW = 8
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# What a file system that has no such thing answers.
_NOT_HERE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)

_syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


class _TooMany(Exception):
    pass


def sync_below(folder):
    """Everything in an open folder."""
    try:
        _one_by_one(folder, [FEW])
    except (_TooMany, PermissionError):
        if not sync_file_system(folder):
            _one_by_one(folder, None)


def sync_folder(directory):
    """The names in it; also for a folder that was opened for its path only."""
    with contextlib.suppress(PermissionError):  # it may be written to, but not be read
        folder = os.open(".", READ_DIRECTORY, dir_fd=directory)
        try:
            _fsync(folder)
        finally:
            os.close(folder)


def sync_file_system(folder):
    """All of the file system that an open folder is in; False: there is no way to ask for that."""
    if _syncfs is None:
        return False
    if _syncfs(folder) == 0:
        return True
    code = ctypes.get_errno()
    if code in (*_NOT_HERE, errno.EPERM):
        return False
    raise OSError(code, os.strerror(code))


def _one_by_one(folder, left):
    """`left`: a list of how many may follow, or None."""
    with os.scandir(folder) as entries:
        for item in entries:
            _count_down(left)
            with contextlib.suppress(FileNotFoundError):
                if item.is_dir(follow_symlinks=False):
                    _opened(item.name, folder, READ_DIRECTORY, lambda inner: _one_by_one(inner, left))
                elif item.is_file(follow_symlinks=False):
                    _opened(item.name, folder, _FILE, _fsync)
    _fsync(folder)


def _count_down(left):
    if left is not None:
        left[0] -= 1
        if left[0] < 0:
            raise _TooMany()


def _opened(name, folder, flags, work):
    file = os.open(name, flags, dir_fd=folder)
    try:
        work(file)
    finally:
        os.close(file)


def _fsync(file):
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise


class Names:
    """The folders that got new names: a few are written at once, more of them together at the end."""

    def __init__(self):
        self._done = 0
        # By the device that they are on.
        self._rest = {}

    def changed(self, folder):
        if self._done < FEW:
            self._done += 1
            _fsync(folder)
            return
        device = os.fstat(folder).st_dev
        if device not in self._rest:
            self._rest[device] = os.dup(folder)

    def finish(self):
        for folder in self._rest.values():
            if not sync_file_system(folder):
                os.sync()

    def close(self):
        for folder in self._rest.values():
            os.close(folder)
        self._rest.clear()
