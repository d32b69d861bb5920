"""Which files of snapshots were read, and found as they were: beside each tree a file with a line `inode mark` of each.

Snapshots share files: what one of them says is known to the others, and what is found damaged in one is known to none.
"""

import contextlib
import fcntl
import hashlib
import os
import time

from durable import sync_folder
from names import own_name

VERIFIED = "verified"
PAUSE_SECONDS = 0.2
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def mark_of(changed, digest):
    """Short, as there may be one of each of millions of files in memory."""
    return hashlib.sha256(f"{changed} {digest}".encode()).digest()[:16]


@contextlib.contextmanager
def alone(folder, check):
    """One at a time among all programs that have opened that directory, as they write to each other's notes."""
    while True:
        check()
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(PAUSE_SECONDS)
    try:
        yield
    finally:
        fcntl.flock(folder, fcntl.LOCK_UN)


class Notes:
    """Those of one snapshot, written as they come; they take the place of its old ones at the end, if all went well."""

    def __init__(self, snapshot):
        self._snapshot = snapshot
        self._draft = own_name(VERIFIED)

    def __enter__(self):
        self._file = open(os.open(self._draft, _FLAGS, 0o600, dir_fd=self._snapshot), "w")
        return self

    def add(self, inode, mark):
        self._file.write(f"{inode} {mark.hex()}\n")

    def __exit__(self, kind, *_error):
        with self._file:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
        if kind is None:
            os.rename(self._draft, VERIFIED, src_dir_fd=self._snapshot, dst_dir_fd=self._snapshot)
            sync_folder(self._snapshot)
        else:
            os.unlink(self._draft, dir_fd=self._snapshot)


def forget(snapshot, inodes):
    """Has these of an open directory read again."""
    if not any(inode in inodes for inode, _ in lines(snapshot)):
        return
    with Notes(snapshot) as notes:
        for inode, mark in lines(snapshot):
            if inode not in inodes:
                notes.add(inode, mark)


def lines(snapshot):
    """Inodes and their marks, of an open directory. What can't be understood is left out: its file is read then."""
    try:
        file = open(os.open(VERIFIED, os.O_RDONLY | os.O_CLOEXEC, dir_fd=snapshot))
    except FileNotFoundError:
        return
    with file:
        for line in file:
            inode, _, mark = line.strip().partition(" ")
            try:
                yield int(inode), bytes.fromhex(mark)
            except ValueError:
                continue
