"""Saving into the file that is there, for what a new file in its place would break: hard links, and what can't be copied.

The new content is whole and on the disk before the first byte of the old one is touched, in a folder of the volume's
root with a note of where it belongs. Whoever opens the volume after a crash in the middle finishes from there.
"""

import contextlib
import errno
import fcntl
import json
import os
import stat as modes

from errors import AgentError
from names import SAVE, is_ours, own_name, split, to_wire
from places import READ_DIRECTORY, is_unlocked, lstat

PIECE = 16 * 1024 * 1024
CONTENT = "content"
NOTE = "target"
# A file that was written to later than so long after our last piece of it has been dealt with by somebody else.
LATER_NS = 5_000_000_000


def write_over(volume, place, target, content):
    """Gives the open file `target`, which is at `place`, what the file `content`, open too, holds."""
    name = own_name(SAVE)
    os.mkdir(name, 0o700, dir_fd=volume.root)
    folder = os.open(name, READ_DIRECTORY, dir_fd=volume.root)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            _keep(volume, folder, place, target, content)
            _make_room(target, os.fstat(content).st_size)
        except BaseException:
            _remove(volume, name, folder)
            raise
        # From here on an error leaves the folder: what is half written can be finished.
        _pour(content, target, folder)
        _remove(volume, name, folder)
    finally:
        os.close(folder)


def sweep(volume):
    """Finishes what dead agents left, and removes it; answers how many there were."""
    with os.scandir(f"/proc/self/fd/{volume.root}") as entries:
        names = [item.name for item in entries if is_ours(item.name, SAVE)]
    return sum(_finish(volume, name) for name in names)


def _keep(volume, folder, place, target, content):
    copy = os.open(CONTENT, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        _copy(content, copy)
        os.fsync(copy)
    finally:
        os.close(copy)
    note = json.dumps({"path": to_wire(place.path), "inode": os.fstat(target).st_ino}).encode()
    file = os.open(NOTE + ".new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        os.write(file, note)
        os.fsync(file)
    finally:
        os.close(file)
    os.rename(NOTE + ".new", NOTE, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)
    _sync_root(volume)


def _sync_root(volume):
    root = os.open(".", READ_DIRECTORY, dir_fd=volume.root)
    try:
        os.fsync(root)
    finally:
        os.close(root)


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


def _pour(content, target, folder):
    """In pieces; before each one the note gets the time of now."""
    size = os.fstat(content).st_size
    for at in range(0, size, PIECE):
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


def _finish(volume, name):
    status = lstat(name, volume.root)
    # Only what an agent made counts: others could have us write what they want to where they may not.
    if status is None or not modes.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return 0
    if modes.S_IMODE(status.st_mode) & 0o077 or not is_unlocked(name, volume.root):
        return 0
    folder = os.open(name, READ_DIRECTORY, dir_fd=volume.root)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError, AgentError, ValueError, KeyError):
            _replay(volume, folder)
        _remove(volume, name, folder)
    finally:
        os.close(folder)
    return 1


def _replay(volume, folder):
    file = os.open(NOTE, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        note = json.loads(os.read(file, 1 << 16))
        begun = os.fstat(file).st_mtime_ns
    finally:
        os.close(file)
    with volume.existing(split(note["path"]), follow=False) as place:
        status = place.stat
        if not modes.S_ISREG(status.st_mode) or status.st_ino != note["inode"]:
            return
        if status.st_mtime_ns > begun + LATER_NS:
            return
        flags = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        target = os.open(place.name, os.O_RDWR | flags, dir_fd=place.directory)
    try:
        content = os.open(CONTENT, os.O_RDONLY | flags, dir_fd=folder)
        try:
            if os.fstat(target).st_ino == note["inode"]:
                _pour(content, target, folder)
        finally:
            os.close(content)
    finally:
        os.close(target)
