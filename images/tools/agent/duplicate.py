"""One entry of a tree made again in another one, with all that it is: owner, mode, times, attributes, holes."""

import errno
import fcntl
import os
import stat as modes

import attributes
import holes
from manifest import BLOCK, ContentDigest

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CLONE = 0x40049409
_NO_CLONE = (errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM)


class Duplicator:
    """Counts what could not be kept: `losses`. `moved` is told how many bytes were written."""

    def __init__(self, losses, check, moved=lambda count: None):
        self._losses = losses
        self._check = check
        self._moved = moved
        self._clones = True

    def entry(self, name, source, target, path):
        """Answers the status of what was read, and the digest of a file. `target` has nothing of that name yet."""
        status = os.stat(name, dir_fd=source, follow_symlinks=False)
        if modes.S_ISREG(status.st_mode):
            return self._file(name, source, target, path)
        if modes.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        else:
            try:
                os.mknod(name, modes.S_IFMT(status.st_mode) | 0o600, status.st_rdev, dir_fd=target)
            except PermissionError:
                self._losses.add("devices", path)
                return status, None
        self._dress_name(name, status, source, target, path)
        return status, None

    def folder(self, source, target, status, path):
        """Gives an open directory what another one has. What is in it changes its times: this comes last."""
        self._dress(source, target, status, path)

    def _file(self, name, source, target, path):
        reading = os.open(name, _READ, dir_fd=source)
        try:
            status = os.fstat(reading)
            if not modes.S_ISREG(status.st_mode):
                raise FileNotFoundError(errno.ENOENT, "another one by now", name)
            writing = os.open(name, _NEW, 0o600, dir_fd=target)
            try:
                digest = self._content(reading, writing, status.st_size)
                self._dress(reading, writing, status, path)
            finally:
                os.close(writing)
            return status, digest
        finally:
            os.close(reading)

    def _content(self, reading, writing, size):
        is_cloned = self._clone(reading, writing)
        digest = ContentDigest()
        for number, block, pieces in blocks_of(reading, size):
            self._check()
            digest.add(number, block)
            for start, end in () if is_cloned else pieces:
                _write(writing, memoryview(block)[start - number * BLOCK : end - number * BLOCK], start)
            self._moved(len(block))
        if not is_cloned:
            os.ftruncate(writing, size)
        return digest.hex(size)

    def _clone(self, reading, writing):
        if not self._clones:
            return False
        try:
            fcntl.ioctl(writing, _CLONE, reading)
            return True
        except OSError as error:
            if error.errno not in _NO_CLONE:
                raise
            self._clones = False
            return False

    def _dress(self, reading, file, status, path):
        os.fchown(file, status.st_uid, status.st_gid)
        self._losses.attributes(attributes.write(file, attributes.read(reading)), path)
        # Last of what decides about rights: an owner and a list of rights take set-id bits away.
        os.fchmod(file, modes.S_IMODE(status.st_mode))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _dress_name(self, name, status, source, target, path):
        os.chown(name, status.st_uid, status.st_gid, dir_fd=target, follow_symlinks=False)
        kept = _attributes(name, source)
        for key, value in kept.items():
            try:
                os.setxattr(_named(name, target), key, value, follow_symlinks=False)
            except OSError:
                self._losses.attributes([key], path)
        if not modes.S_ISLNK(status.st_mode):
            os.chmod(_named(name, target), modes.S_IMODE(status.st_mode))
        times = (status.st_atime_ns, status.st_mtime_ns)
        os.utime(name, ns=times, dir_fd=target, follow_symlinks=False)


def blocks_of(file, size):
    """(number, bytes, what of them is no hole) of each block that is not all hole."""
    number, pieces = None, []
    for start, end in holes.data_ranges(file, size):
        while start < end:
            here = start // BLOCK
            stop = min(end, (here + 1) * BLOCK)
            if here != number and pieces:
                yield number, _read(file, min(BLOCK, size - number * BLOCK), number * BLOCK), pieces
                pieces = []
            number = here
            pieces.append((start, stop))
            start = stop
    if pieces:
        yield number, _read(file, min(BLOCK, size - number * BLOCK), number * BLOCK), pieces


def _read(file, wanted, at):
    block = os.pread(file, wanted, at)
    while block and len(block) < wanted:
        more = os.pread(file, wanted - len(block), at + len(block))
        if not more:
            break
        block += more
    return block


def _write(file, left, at):
    while left:
        written = os.pwrite(file, left, at)
        left, at = left[written:], at + written


def _named(name, directory):
    """These calls take no directory."""
    return f"/proc/self/fd/{directory}/{name}"


def _attributes(name, directory):
    path = _named(name, directory)
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOSYS):
            return {}
        raise
    found = {key: os.getxattr(path, key, follow_symlinks=False) for key in names}
    return attributes.without_labels(found)
