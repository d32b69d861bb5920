"""Copies inside a volume: shared blocks where the file system can, else by the kernel, else by hand.

As `cp -a` does it, holes stay holes, names of one file stay names of one file, and attributes go along; what can't is
counted. Only rights to become somebody else are dropped.
"""

import errno
import fcntl
import os
import stat as modes
import time

import attributes
from content import SET_ID
from errors import NO_ROOM, ONE_OF_MANY, AgentError, as_agent_error
from holes import data_ranges
from names import is_ours
from places import READ_DIRECTORY
from unsized import Unsized

FICLONE = 0x40049409
PIECE = 16 * 1024 * 1024
_NOT_HERE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM, errno.EBADF)
PROGRESS_EVERY = 0.1


class TreeCopy:
    """One copy of a file or tree into a folder of ours. Modes, owners and times are kept, links stay links."""

    def __init__(self, job, root, copied=None):
        """`copied` notes what is read."""
        self.job = job
        self.bytes = 0
        # What is not in the copy, by its path there, and why: what can't be read, and sockets and devices, which mean
        # nothing elsewhere.
        self.failed = []
        self.losses = attributes.Losses()
        self._root = root
        self._notes = copied
        # Where the copy of a file with several names is, from the root.
        self._linked = {}
        self._unsized = Unsized()
        self._told = time.monotonic()

    def copy(self, name, directory, target, target_directory, path):
        """`path`: of the target, from the root. What can't be copied stops nothing else."""
        self.job.check()
        try:
            self._node(name, directory, target, target_directory, path)
        except ONE_OF_MANY as error:
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise
            # What is gone since its folder was read was not to be copied.
            if not isinstance(error, FileNotFoundError) or "/" not in path:
                self.failed.append((path, as_agent_error(error)))

    def _node(self, name, directory, target, target_directory, path):
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if modes.S_ISDIR(status.st_mode):
            self._folder(name, directory, target, target_directory, path, status)
        elif modes.S_ISREG(status.st_mode):
            self._file(name, directory, target, target_directory, path)
        elif modes.S_ISLNK(status.st_mode):
            self._note(status)
            os.symlink(os.readlink(name, dir_fd=directory), target, dir_fd=target_directory)
            attributes.give_name(target, status.st_uid, status.st_gid, target_directory)
            times = (status.st_atime_ns, status.st_mtime_ns)
            os.utime(target, ns=times, dir_fd=target_directory, follow_symlinks=False)
        else:
            self.failed.append((path, AgentError("not_supported", "it is neither a file, a folder nor a link")))

    def _note(self, status):
        if self._notes is not None:
            self._notes.note(status)

    def _folder(self, name, directory, target, target_directory, path, status):
        try:
            source = os.open(name, READ_DIRECTORY, dir_fd=directory)
        except PermissionError:
            # As cp does it: the folder comes, only what is in it does not.
            os.mkdir(target, modes.S_IMODE(status.st_mode) & ~SET_ID, dir_fd=target_directory)
            attributes.give_name(target, status.st_uid, status.st_gid, target_directory)
            raise
        try:
            self._note(os.fstat(source))
            os.mkdir(target, 0o700, dir_fd=target_directory)
            copy = os.open(target, READ_DIRECTORY, dir_fd=target_directory)
            try:
                with os.scandir(source) as entries:
                    names = [item.name for item in entries if not is_ours(item.name)]
                for child in names:
                    self.copy(child, source, child, copy, f"{path}/{child}")
                self._like(copy, source, os.fstat(source), path, keep=modes.S_ISGID)
            finally:
                os.close(copy)
        finally:
            os.close(source)

    def _file(self, name, directory, target, target_directory, path):
        flags = os.O_NOFOLLOW | os.O_CLOEXEC
        source = os.open(name, os.O_RDONLY | os.O_NONBLOCK | flags, dir_fd=directory)
        try:
            status = os.fstat(source)
            if not modes.S_ISREG(status.st_mode):
                raise AgentError("path_not_found", "it was a file and is none any more")
            self._note(status)
            if self._is_linked(status, target, target_directory, path):
                return
            copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | flags, 0o600, dir_fd=target_directory)
            try:
                content = self._unsized.content(source, status)
                if content is None:
                    self._content(source, copy, status.st_size)
                else:
                    self._write(copy, content, 0)
                self._like(copy, source, status, path)
            except BaseException:
                os.unlink(target, dir_fd=target_directory)
                raise
            finally:
                os.close(copy)
        finally:
            os.close(source)

    def _is_linked(self, status, target, target_directory, path):
        """Another name for what was copied already."""
        if status.st_nlink == 1:
            return False
        key = (status.st_dev, status.st_ino)
        first = self._linked.setdefault(key, path)
        if first == path:
            return False
        try:
            os.link(first, target, src_dir_fd=self._root, dst_dir_fd=target_directory, follow_symlinks=False)
        except OSError as error:
            if error.errno not in (errno.ENAMETOOLONG, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP):
                raise
            self.losses.add("hard links", path)
            return False
        return True

    def _like(self, file, source, status, path, keep=0):
        refused = attributes.write(file, self._attributes(source, path))
        self.losses.attributes(refused, path)
        attributes.give(file, status.st_uid, status.st_gid)
        if status.st_mode & SET_ID & ~keep:
            self.losses.add(attributes.SET_ID_LOSS, path)
        os.fchmod(file, modes.S_IMODE(status.st_mode) & ~(SET_ID & ~keep))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _attributes(self, source, path):
        found = attributes.read(source)
        if found.pop(attributes.CAPABILITY, None) is not None:
            self.losses.attributes([attributes.CAPABILITY], path)
        return found

    def _content(self, source, copy, size):
        for way in (self._clone, self._in_kernel, self._by_hand):
            try:
                way(source, copy, size)
                return
            except OSError as error:
                if error.errno not in _NOT_HERE or way == self._by_hand:
                    raise
                os.ftruncate(copy, 0)

    def _clone(self, source, copy, size):
        fcntl.ioctl(copy, FICLONE, source)
        self._copied(size)

    def _in_kernel(self, source, copy, size):
        for at, end in data_ranges(source, size):
            while at < end:
                done = os.copy_file_range(source, copy, min(end - at, PIECE), at, at)
                if done == 0:
                    return  # shorter than it was
                at += done
                self._copied(done)
        os.ftruncate(copy, size)

    def _by_hand(self, source, copy, size):
        for at, end in data_ranges(source, size):
            while at < end and (piece := os.pread(source, min(1 << 20, end - at), at)):
                at = self._write(copy, piece, at)
        os.ftruncate(copy, size)

    def _write(self, copy, piece, at):
        """Answers where it ends."""
        view = memoryview(piece)
        while view:
            written = os.pwrite(copy, view, at)
            at += written
            view = view[written:]
        self._copied(len(piece))
        return at

    def _copied(self, count):
        self.bytes += count
        self.job.check()
        now = time.monotonic()
        if now - self._told >= PROGRESS_EVERY:
            self._told = now
            self.job.progress(self.bytes)
