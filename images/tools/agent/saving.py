"""Saving into the file that is there, for what a new file in its place would break: hard links, and what can't be copied.

The new content is whole and on the disk before the first byte of the old one is touched, in a folder of the volume's
root with a note of where it belongs. Whoever opens the volume after a crash in the middle finishes from there. A note of
the same kind says which mode a folder is to have again that is opened for a moment.
"""

import contextlib
import errno
import json
import os
import stat as modes
import time

from durable import sync_folder
from errors import AgentError, Cancelled
from names import SAVE, is_ours, split, to_wire
from places import OPENED, READ_DIRECTORY, lstat, make_locked, unlocked

# Each one is written within LATER_NS, also to a slow disk.
PIECE = 1024 * 1024
CONTENT = "content"
NOTE = "target"
# A file that was written to later than so long after our last piece of it has been dealt with by somebody else.
LATER_NS = 3_000_000_000


def write_over(volume, path, target, content):
    """Gives the open file `target`, which is at `path`, what the file `content`, open too, holds."""
    name, folder = make_locked(SAVE, volume.root)
    try:
        try:
            _keep(volume, folder, path, target, content)
            _make_room(target, os.fstat(content).st_size)
        except BaseException:
            _remove(volume, name, folder)
            raise
        # From here on an error leaves the folder: what is half written can be finished.
        _pour(content, target, folder, os.fstat(content).st_size)
        _remove(volume, name, folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def noted_mode(volume, path, status):
    """While it lasts, a dead agent leaves to the next one to give the folder that is at `path` by then its mode again.

    Where nothing can be made in the volume's root there is no note.
    """
    try:
        name, folder = make_locked(SAVE, volume.root)
    except OSError:
        yield
        return
    try:
        try:
            _note(volume, folder, path, {"inode": status.st_ino, "mode": modes.S_IMODE(status.st_mode)})
            yield
        finally:
            _remove(volume, name, folder)
    finally:
        os.close(folder)


def sweep(volume, check):
    """Finishes what dead agents left, and removes it; answers how many, and how many had to stay.

    Whoever is root in the volume may have made what looks like one: none of them may keep the others, or the files of
    the volume, from being reached. `check` raises when it is to stop.
    """
    with os.scandir(f"/proc/self/fd/{volume.root}") as entries:
        names = [item.name for item in entries if is_ours(item.name, SAVE)]
    finished = left = 0
    for name in names:
        check()
        try:
            finished += _finish(volume, name, check)
        except Cancelled:
            raise
        except Exception:  # also what only a forged one has, as JSON without an end
            left += 1
    return finished, left


def _keep(volume, folder, path, target, content):
    copy = os.open(CONTENT, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        _copy(content, copy)
        os.fsync(copy)
    finally:
        os.close(copy)
    _note(volume, folder, path, {"inode": os.fstat(target).st_ino, "size": os.fstat(content).st_size})


def _note(volume, folder, path, fields):
    note = json.dumps({"path": to_wire(path), **fields}).encode()
    file = os.open(NOTE + ".new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        os.write(file, note)
        os.fsync(file)
    finally:
        os.close(file)
    os.rename(NOTE + ".new", NOTE, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)
    sync_folder(volume.root)


def _make_room(target, size):
    """What does not fit must fail before anything is overwritten."""
    before = os.fstat(target).st_size
    try:
        if size > 0:
            os.posix_fallocate(target, 0, size)
    except OSError as error:
        os.ftruncate(target, before)
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise


def _pour(content, target, folder, size, check=lambda: None):
    """In pieces; before each one the note gets the time of now."""
    for at in range(0, size, PIECE):
        check()
        os.utime(NOTE, dir_fd=folder)
        _copy(content, target, at, min(size, at + PIECE))
    os.utime(NOTE, dir_fd=folder)
    os.ftruncate(target, size)
    os.fsync(target)


def _copy(source, target, start=0, end=None):
    end = os.fstat(source).st_size if end is None else end
    at = start
    with contextlib.suppress(OSError):
        while at < end and (done := os.copy_file_range(source, target, end - at, at, at)) > 0:
            at += done
    while at < end:
        piece = os.pread(source, min(1 << 20, end - at), at)
        if not piece:
            raise AgentError("internal", "the new content became shorter while it was saved")
        view = memoryview(piece)
        while view:
            written = os.pwrite(target, view, at)
            at += written
            view = view[written:]


def _remove(volume, name, folder):
    for item in (NOTE, NOTE + ".new", CONTENT):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(item, dir_fd=folder)
    os.rmdir(name, dir_fd=volume.root)


def _finish(volume, name, check):
    """1: it is done with; 0: it is none of ours, or in work."""
    status = lstat(name, volume.root)
    # Only what an agent made counts: others could have us write what they want to where they may not.
    if status is None or not modes.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return 0
    if modes.S_IMODE(status.st_mode) & 0o077:
        return 0
    with unlocked(name, volume.root) as folder:
        if folder is None:
            return 0
        note = _note_in(folder)
        if note is not None and "mode" in note[0]:
            _close(volume, note[0])
        elif note is not None:
            _replay(volume, folder, *note, check)
        _remove(volume, name, folder)
    return 1


def _note_in(folder):
    """What is to be done, and when it was last written; None: it was not yet there, or nobody can read it."""
    try:
        file = _open_plain(NOTE, folder)
    except FileNotFoundError:
        return None
    try:
        begun = os.fstat(file).st_mtime_ns
        note = json.loads(os.read(file, 1 << 16))
    except ValueError:
        return None
    finally:
        os.close(file)
    return note, min(begun, time.time_ns())


def _open_plain(name, folder):
    """Never waits for whoever writes into a pipe."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.open(name, flags, dir_fd=folder)
    if modes.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise AgentError("internal", f"{name} is no file")


def _close(volume, note):
    """Gives a folder the mode that it had, when it is the same one and nobody has changed it since."""
    try:
        place = volume.existing(split(note["path"]), follow=False)
    except (AgentError, FileNotFoundError, NotADirectoryError):
        return
    with place:
        if not place.is_directory or place.stat.st_ino != int(note["inode"]):
            return
        folder = os.open(place.name, READ_DIRECTORY, dir_fd=place.directory)
    try:
        status = os.fstat(folder)
        if status.st_ino == int(note["inode"]) and modes.S_IMODE(status.st_mode) == OPENED:
            os.fchmod(folder, int(note["mode"]) & 0o7777)
    finally:
        os.close(folder)


def _replay(volume, folder, note, begun, check):
    """What can't be done now, as the file is a program that runs, raises: it is tried again another time."""
    size = note.get("size")
    target = _target(volume, split(note["path"]), int(note["inode"]), begun)
    if target is None:
        return
    try:
        content = _open_plain(CONTENT, folder)
        try:
            held = os.fstat(content).st_size
            # The note came after the content was whole: another size is nothing of ours.
            if size is None or size == held:
                _pour(content, target, folder, held, check)
        finally:
            os.close(content)
    finally:
        os.close(target)


def _target(volume, path, inode, begun):
    """The file, open; None when it is gone, another one, or changed since."""
    try:
        place = volume.existing(path, follow=False)
    except (AgentError, FileNotFoundError, NotADirectoryError):
        return None
    with place:
        status = place.stat
        if not modes.S_ISREG(status.st_mode) or status.st_ino != inode or status.st_mtime_ns > begun + LATER_NS:
            return None
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        target = os.open(place.name, flags, dir_fd=place.directory)
    if os.fstat(target).st_ino == inode:
        return target
    os.close(target)
    return None
