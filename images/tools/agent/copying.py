"""Copies inside a volume: shared blocks where the file system can, else by the kernel, else by hand."""

import errno
import fcntl
import os
import stat as modes
import time

from content import SET_ID
from errors import AgentError
from names import is_ours
from places import READ_DIRECTORY

FICLONE = 0x40049409
PIECE = 16 * 1024 * 1024
_NOT_HERE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM, errno.EBADF)
PROGRESS_EVERY = 0.1


class TreeCopy:
    """One copy of a file or tree. Modes, owners and times are kept, links stay links."""

    def __init__(self, job):
        self.job = job
        self.bytes = 0
        # Sockets and devices: they mean nothing elsewhere.
        self.skipped = []
        self._told = time.monotonic()

    def copy(self, name, directory, target, target_directory):
        self.job.check()
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if modes.S_ISDIR(status.st_mode):
            self._folder(name, directory, target, target_directory)
        elif modes.S_ISREG(status.st_mode):
            self._file(name, directory, target, target_directory)
        elif modes.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(name, dir_fd=directory), target, dir_fd=target_directory)
            os.chown(target, status.st_uid, status.st_gid, dir_fd=target_directory, follow_symlinks=False)
        else:
            self.skipped.append(name)

    def _folder(self, name, directory, target, target_directory):
        source = os.open(name, READ_DIRECTORY, dir_fd=directory)
        try:
            os.mkdir(target, 0o700, dir_fd=target_directory)
            copy = os.open(target, READ_DIRECTORY, dir_fd=target_directory)
            try:
                with os.scandir(source) as entries:
                    names = [item.name for item in entries if not is_ours(item.name)]
                for child in names:
                    self.copy(child, source, child, copy)
                _like(copy, os.fstat(source), keep=modes.S_ISGID)
            finally:
                os.close(copy)
        finally:
            os.close(source)

    def _file(self, name, directory, target, target_directory):
        flags = os.O_NOFOLLOW | os.O_CLOEXEC
        source = os.open(name, os.O_RDONLY | os.O_NONBLOCK | flags, dir_fd=directory)
        try:
            status = os.fstat(source)
            if not modes.S_ISREG(status.st_mode):
                raise AgentError("path_not_found", "it was a file and is none any more")
            copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | flags, 0o600, dir_fd=target_directory)
            try:
                self._content(source, copy, status.st_size)
                _like(copy, status)
            finally:
                os.close(copy)
        finally:
            os.close(source)

    def _content(self, source, copy, size):
        if size == 0:
            return
        for way in (self._clone, self._in_kernel, self._by_hand):
            try:
                way(source, copy, size)
                return
            except OSError as error:
                if error.errno not in _NOT_HERE or way == self._by_hand:
                    raise
                os.ftruncate(copy, 0)
                os.lseek(source, 0, os.SEEK_SET)
                os.lseek(copy, 0, os.SEEK_SET)

    def _clone(self, source, copy, size):
        fcntl.ioctl(copy, FICLONE, source)
        self._copied(size)

    def _in_kernel(self, source, copy, size):
        left = size
        while left > 0:
            done = os.copy_file_range(source, copy, min(left, PIECE))
            if done == 0:
                return  # shorter than it was
            left -= done
            self._copied(done)

    def _by_hand(self, source, copy, _size):
        while piece := os.read(source, 1 << 20):
            view = memoryview(piece)
            while view:
                view = view[os.write(copy, view) :]
            self._copied(len(piece))

    def _copied(self, count):
        self.bytes += count
        self.job.check()
        now = time.monotonic()
        if now - self._told >= PROGRESS_EVERY:
            self._told = now
            self.job.progress(self.bytes)


def _like(file, status, keep=0):
    os.fchown(file, status.st_uid, status.st_gid)
    os.fchmod(file, modes.S_IMODE(status.st_mode) & ~(SET_ID & ~keep))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
