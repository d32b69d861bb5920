"""Reading and writing the content of files: small ones in one request, large ones through a handle."""

import errno
import fcntl
import itertools
import os
import stat as modes

import attributes
import saving
from durable import sync_folder
from entries import entry
from errors import AgentError
from names import TEMP, own_name, split
from places import lstat, make_locked, rename_new
from unsized import ANY_SIZE, read_fully

DEFAULT_MODE = 0o644
# Clears setuid and setgid, as write(2) does.
SET_ID = modes.S_ISUID | modes.S_ISGID
_DROPPED = {modes.S_ISUID: "setuid", modes.S_ISGID: "setgid"}
_NO_TEMP_FILES = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)


class Handles:
    """Open files by number. What is still open at the end is thrown away."""

    def __init__(self):
        self._numbers = itertools.count(1)
        self._open = {}

    def add(self, handle):
        number = next(self._numbers)
        self._open[number] = handle
        return number

    def get(self, number, type_):
        handle = self._open.get(number)
        if not isinstance(handle, type_):
            raise AgentError("gone", "the file is no longer open")
        return handle

    def take(self, number, type_):
        handle = self.get(number, type_)
        del self._open[number]
        return handle

    def close(self, number):
        handle = self._open.pop(number, None)
        if handle is not None:
            handle.close()

    def close_all(self):
        for number in list(self._open):
            self.close(number)


class Reading:
    def __init__(self, file):
        self.file = file

    def close(self):
        os.close(self.file)


def open_file(place, flags=os.O_RDONLY):
    """A regular file, opened without following a link and without waiting for the other end of a pipe."""
    if place.missing:
        raise AgentError("path_not_found")
    _require_file(place.stat.st_mode)
    file = os.open(place.name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place.directory)
    try:
        _require_file(os.fstat(file).st_mode)
    except BaseException:
        os.close(file)
        raise
    return file


def _require_file(mode):
    if modes.S_ISDIR(mode):
        raise AgentError("is_a_directory")
    if not modes.S_ISREG(mode):
        raise AgentError("bad_request", "neither a file nor a folder")


class Writing:
    """A new file that nobody sees until it is put in its place.

    It has no name until then, so that nothing is left of it however this ends; where the file system can't do that,
    it has a temporary one, and its lock says that it is wanted. A file with several names, or with an owner, an access
    control list or attributes that the new one can't have, is written over instead, when the content is complete.
    """

    def __init__(self, volume, place, overwrite, mode):
        self.volume = volume
        self.place = place
        self.overwrite = overwrite
        # Rights that went with the old content.
        self.dropped = []
        self._in_place = False
        self._temp = None
        self.file = None
        self.file = self._open()
        try:
            self._like(mode)
        except BaseException:
            self.close()
            raise

    def _open(self):
        flags = os.O_RDWR | os.O_CLOEXEC
        try:
            return os.open(".", flags | os.O_TMPFILE, 0o600, dir_fd=self.place.directory)
        except OSError as error:
            if error.errno not in _NO_TEMP_FILES:
                raise
        flags |= os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW

        def make(name, directory):
            return os.open(name, flags, 0o600, dir_fd=directory)

        self._temp, file = make_locked(TEMP, self.place.directory, make)
        return file

    def _like(self, mode):
        """Owner, mode and attributes: of the file that is replaced, else the owner that the folder gives."""
        old = self.place.stat
        if old is not None:
            self._in_place = not self._can_replace(old)
            self.dropped += [name for bit, name in _DROPPED.items() if old.st_mode & bit]
            os.fchmod(self.file, modes.S_IMODE(old.st_mode) & ~SET_ID)
            return
        attributes.give(self.file, *attributes.owner_in(self.place.directory))
        os.fchmod(self.file, DEFAULT_MODE if mode is None else mode & 0o7777)

    def _can_replace(self, old):
        """Makes the new file like the old one; False: it can't be."""
        try:
            file = open_file(self.place)
        except PermissionError:
            return old.st_nlink == 1
        try:
            kept = attributes.read(file)
        finally:
            os.close(file)
        if kept.pop(attributes.CAPABILITY, None) is not None:
            self.dropped.append("capabilities")
        if old.st_nlink > 1:
            return False
        try:
            os.fchown(self.file, old.st_uid, old.st_gid)
        except PermissionError:
            return False
        return not attributes.write(self.file, kept)

    def write(self, content, offset):
        view = memoryview(content)
        while view:
            written = os.pwrite(self.file, view, offset)
            offset += written
            view = view[written:]

    def commit(self):
        if self._in_place and self._write_over():
            return
        os.fsync(self.file)
        try:
            self._place()
        except OSError as error:
            # Something is mounted there, which nothing can take the place of: it gets the content.
            if error.errno != errno.EBUSY or not self.overwrite or not self._write_over():
                raise
            return
        sync_folder(self.place.directory)

    def _place(self):
        name, directory = self.place.name, self.place.directory
        if self._temp is None and (not self.overwrite or self.place.missing):
            try:
                self._link(name)
                return
            except FileExistsError:
                if not self.overwrite:
                    raise
        if self._temp is None:
            temp = own_name(TEMP)
            fcntl.flock(self.file, fcntl.LOCK_EX)
            self._link(temp)
            self._temp = temp
        if self.overwrite:
            os.rename(self._temp, name, src_dir_fd=directory, dst_dir_fd=directory)
        else:
            rename_new(self._temp, directory, name, directory)
        self._temp = None

    def _write_over(self):
        """False: what was there when we began was replaced meanwhile."""
        try:
            target = open_file(self.place, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            status, old = os.fstat(target), self.place.stat
            if (status.st_dev, status.st_ino) != (old.st_dev, old.st_ino):
                return False
            saving.write_over(self.volume, self.place.path, target, self.file)
            if status.st_mode & SET_ID:
                os.fchmod(target, modes.S_IMODE(status.st_mode) & ~SET_ID)
        finally:
            os.close(target)
        return True

    def _link(self, name):
        source = f"/proc/self/fd/{self.file}"
        os.link(source, name, dst_dir_fd=self.place.directory, follow_symlinks=True)

    def close(self):
        if self.file is not None:
            os.close(self.file)
            self.file = None
        if self._temp is not None:
            os.unlink(self._temp, dir_fd=self.place.directory)
            self._temp = None
        self.place.close()


def begin(volume, request):
    place = volume.find(split(request["path"]))
    try:
        if place.is_directory:
            raise AgentError("is_a_directory")
        if place.missing and not request["create"]:
            raise AgentError("path_not_found")
        if not place.missing:
            if not request["overwrite"]:
                raise AgentError("path_exists")
            _require_file(place.stat.st_mode)
        return Writing(volume, place, request["overwrite"], request.get("mode"))
    except BaseException:
        place.close()
        raise


class Content:
    """The operations on content; they share the open handles."""

    def __init__(self):
        self.handles = Handles()

    def read(self, volume, request, _payload, _job):
        """The first bytes, and a handle when there are more."""
        with volume.find(split(request["path"])) as place:
            file = open_file(place)
        handle = None
        try:
            size = os.fstat(file).st_size or ANY_SIZE
            end = size if request.get("length") is None else min(size, request["offset"] + request["length"])
            want = max(0, end - request["offset"])
            piece = min(want, request["chunk"])
            first = read_fully(file, piece, request["offset"])
            if len(first) == piece < want:
                handle = self.handles.add(Reading(file))
        finally:
            if handle is None:
                os.close(file)
        return {"handle": handle, "left": want - len(first) if handle else 0}, first

    def pread(self, _volume, request, _payload, _job):
        reading = self.handles.get(request["handle"], Reading)
        return {}, read_fully(reading.file, request["length"], request["offset"])

    def close(self, _volume, request, _payload, _job):
        self.handles.close(request["handle"])
        return {}

    def write(self, volume, request, payload, _job):
        """A whole file in one request."""
        writing = begin(volume, request)
        try:
            writing.write(payload, 0)
            return self._put_in_place(volume, writing)
        finally:
            writing.close()

    def open_write(self, volume, request, _payload, _job):
        return {"handle": self.handles.add(begin(volume, request))}

    def pwrite(self, _volume, request, payload, _job):
        self.handles.get(request["handle"], Writing).write(payload, request["offset"])
        return {}

    def commit(self, volume, request, _payload, _job):
        writing = self.handles.take(request["handle"], Writing)
        try:
            return self._put_in_place(volume, writing)
        finally:
            writing.close()

    def _put_in_place(self, volume, writing):
        writing.commit()
        place = writing.place
        place.stat = lstat(place.name, place.directory) or os.fstat(writing.file)
        return {"entry": entry(volume, place), "dropped": writing.dropped}
