"""Finding a path inside the volume so that no link, and no race, leads out of it.

Every component is looked at and opened by itself, relative to the directory before it and without following links;
links are followed here, by hand. `..` in a link goes back to a directory that was walked through, never above the root.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import stat as modes

from errors import AgentError
from names import own_name

# Where workspaces see the volume: absolute links made there mean the volume's root.
MOUNT_POINTS = ("/home/workspace", "/workspace", "/volume")
MAX_LINKS = 40
DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# What a folder that lets its owner not in has for a moment.
OPENED = 0o700
READ_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
RENAME_NOREPLACE = 1
_TRIES = 100

_libc = ctypes.CDLL(None, use_errno=True)


def lstat(name, directory):
    """The status of a name in an open directory, or None when there is no such name."""
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def refuse_device(status):
    """What uses it would go on with an ordinary file in its place: every program that writes to /dev/null, for one."""
    if status is not None and (modes.S_ISCHR(status.st_mode) or modes.S_ISBLK(status.st_mode)):
        raise AgentError("not_supported", "a device is not replaced by anything")


@contextlib.contextmanager
def unlocked(name, directory):
    """An open handle, locked meanwhile, of what nobody holds the lock of any more: whoever made it is dead. Else None."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        yield None
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        yield file if is_at(file, name, directory) else None
    finally:
        os.close(file)


def _make_folder(name, directory):
    os.mkdir(name, 0o700, dir_fd=directory)
    return os.open(name, READ_DIRECTORY, dir_fd=directory)


def make_locked(prefix, directory, make=_make_folder):
    """Name and handle of something new of ours. Until it is locked, others may take it for what a dead agent left."""
    for _ in range(_TRIES):
        name = own_name(prefix)
        try:
            file = make(name, directory)
        except FileNotFoundError:
            continue
        fcntl.flock(file, fcntl.LOCK_EX)
        if is_at(file, name, directory):
            return name, file
        os.close(file)
    # Nobody takes so many: nothing can be made there, as the folder was removed, or is one of /proc.
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def is_at(file, name, directory):
    """True when the name still leads to the open file."""
    status = lstat(name, directory)
    return status is not None and os.path.samestat(status, os.fstat(file))


def rename_new(source, source_directory, target, target_directory):
    """Renames only when the target name is free, in one step; else raises FileExistsError."""
    done = _libc.renameat2(
        source_directory, os.fsencode(source), target_directory, os.fsencode(target), RENAME_NOREPLACE
    )
    if done == 0:
        return
    code = ctypes.get_errno()
    if code not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(code, os.strerror(code))
    _rename_unless_there(source, source_directory, target, target_directory)


def is_elsewhere(one, other):
    """True when nothing can be renamed from one open folder to the other: something else is mounted there."""
    if os.fstat(one).st_dev != os.fstat(other).st_dev:
        return True
    # Also for two mounts of one file system. No such name is there: what matters is said first.
    name = own_name("")
    try:
        os.rename(name, name, src_dir_fd=one, dst_dir_fd=other)
    except OSError as error:
        return error.errno == errno.EXDEV
    return False


@contextlib.contextmanager
def top_of_mount(directory, root):
    """The outermost folder, from `root` on, that things can be renamed to from an open one."""
    top = os.open(".", READ_DIRECTORY, dir_fd=directory)
    try:
        while not os.path.samestat(os.fstat(top), os.fstat(root)):
            above = os.open("..", READ_DIRECTORY, dir_fd=top)
            if os.path.samestat(os.fstat(above), os.fstat(top)) or is_elsewhere(top, above):
                os.close(above)
                break
            os.close(top)
            top = above
        yield top
    finally:
        os.close(top)


def _rename_unless_there(source, source_directory, target, target_directory):
    """For file systems without RENAME_NOREPLACE: a second look instead of a guarantee."""
    if lstat(target, target_directory) is not None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.rename(source, target, src_dir_fd=source_directory, dst_dir_fd=target_directory)


class Place:
    """A name in an open directory of the volume. Close it: it holds the directories it walked through."""

    def __init__(self, root):
        self._directories = [root]
        self._names = []
        self.name = "."
        self.stat = None

    @property
    def directory(self):
        return self._directories[-1]

    @property
    def is_root(self):
        return self.name == "."

    @property
    def path(self):
        """From the volume's root, without links."""
        return "/" + "/".join(self._names if self.is_root else [*self._names, self.name])

    @property
    def missing(self):
        return self.stat is None

    @property
    def is_directory(self):
        return self.stat is not None and modes.S_ISDIR(self.stat.st_mode)

    def above(self):
        """(device, inode) of every directory from the root down to the one that holds the name."""
        found = [os.fstat(fd) for fd in self._directories]
        return {(status.st_dev, status.st_ino) for status in found}

    def down(self, name):
        self._directories.append(os.open(name, DIRECTORY, dir_fd=self.directory))
        self._names.append(name)

    def up(self):
        if len(self._directories) == 1:
            raise AgentError("path_escapes")
        os.close(self._directories.pop())
        return self._names.pop()

    def to_root(self):
        while len(self._directories) > 1:
            self.up()

    def settle(self, name):
        self.name = name
        self.stat = lstat(name, self.directory)

    def close(self):
        self.to_root()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Volume:
    """The tree below one directory."""

    def __init__(self, root):
        self.root = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        here = os.path.realpath(root)
        # Of a whole file system absolute links mean what they say.
        self._mounts = {""} if here == "/" else {*MOUNT_POINTS, here}

    def find(self, parts, follow=True):
        """The place of a path; its last component is followed when it is a link, unless `follow` is False.

        The last name may be missing (`place.stat` is None); everything before it must be there.
        """
        place = Place(self.root)
        try:
            self._walk(place, parts, follow)
        except BaseException:
            place.close()
            raise
        return place

    def existing(self, parts, follow=True):
        place = self.find(parts, follow)
        if place.missing:
            place.close()
            raise AgentError("path_not_found")
        return place

    def _walk(self, place, parts, follow):
        todo = parts[::-1]
        links = 0
        while todo:
            name = todo.pop()
            if name == "..":
                place.up()
                continue
            status = lstat(name, place.directory)
            if status is not None and modes.S_ISLNK(status.st_mode) and (todo or follow):
                links += 1
                if links > MAX_LINKS:
                    raise AgentError("path_not_found", "ELOOP: too many links")
                todo.extend(self._link(place, name))
                continue
            if not todo:
                place.name, place.stat = name, status
                return
            if status is None:
                raise AgentError("path_not_found")
            place.down(name)
        place.settle(place.up() if place.path != "/" else ".")

    def _link(self, place, name):
        """What is to be walked instead of a link, last component first."""
        target = os.readlink(name, dir_fd=place.directory)
        if target.startswith("/"):
            target = self._inside(target)
            place.to_root()
        return [part for part in target.split("/") if part not in ("", ".")][::-1]

    def _inside(self, target):
        for mount in self._mounts:
            if target == mount or target.startswith(mount + "/"):
                return target[len(mount) :]
        raise AgentError("path_escapes")
