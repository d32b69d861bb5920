"""Changes below a folder, by inotify: no polling, and also what other containers do in the volume."""

import ctypes
import os
import select
import struct
import threading
import time

from errors import AgentError
from names import is_ours, split, to_wire
from places import DIRECTORY

_libc = ctypes.CDLL(None, use_errno=True)

MODIFY, ATTRIB, CLOSE_WRITE, MOVED_FROM, MOVED_TO = 0x2, 0x4, 0x8, 0x40, 0x80
CREATE, DELETE, DELETE_SELF, MOVE_SELF = 0x100, 0x200, 0x400, 0x800
OVERFLOW, IGNORED, ONLY_DIRECTORY, IS_DIRECTORY = 0x4000, 0x8000, 0x1000000, 0x40000000
EVENTS = MODIFY | ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF
CLOEXEC = 0o2000000

# Events come in bursts: what happens within this time is told at once, and no path twice.
GATHER_SECONDS = 0.05
# More than that at once is told as one change of the watched folder.
MAX_CHANGES = 1000


class Watch:
    """One watched folder, or one file by its name in its folder."""

    def __init__(self, volume, path, place, recursive, tell):
        self._volume = volume
        self._parts = [part for part in place.path.split("/") if part]
        self._path = "" if path == "/" else path
        self._only = None if place.is_directory else place.name
        self._recursive = recursive and self._only is None
        self._tell = tell
        self._paths = {}
        self._changes = {}
        self._ended = False
        self._lock = threading.Lock()
        self._inotify = _checked(_libc.inotify_init1(CLOEXEC))
        self._wake = os.eventfd(0)
        try:
            self._add_child(place.directory, place.name if self._only is None else ".", "", report=False)
        except BaseException:
            self._release()
            raise
        threading.Thread(target=self._run, daemon=True).start()

    def _add(self, folder, relative, report):
        """Watches an open folder and, when asked to, all below it."""
        path = f"/proc/self/fd/{folder}".encode()
        watch = _checked(_libc.inotify_add_watch(self._inotify, path, EVENTS | ONLY_DIRECTORY))
        self._paths[watch] = relative
        if not self._recursive:
            return
        with os.scandir(path) as entries:
            found = [(os.fsdecode(item.name), item.is_dir(follow_symlinks=False)) for item in entries]
        for name, is_directory in found:
            if is_ours(name):
                continue
            if report:
                self._note("created", f"{relative}/{name}")
            if is_directory:
                self._add_child(folder, name, f"{relative}/{name}", report)

    def _add_child(self, folder, name, relative, report):
        try:
            child = os.open(name, DIRECTORY, dir_fd=folder)
        except OSError:
            return  # gone, or a link by now
        try:
            self._add(child, relative, report)
        finally:
            os.close(child)

    def _run(self):
        poll = select.poll()
        poll.register(self._inotify, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        try:
            while not self._ended:
                if any(fd == self._wake for fd, _ in poll.poll()):
                    return
                time.sleep(GATHER_SECONDS)
                self._read()
                self._flush()
        finally:
            self._release()

    def _read(self):
        events = os.read(self._inotify, 1 << 20)
        offset = 0
        while offset < len(events):
            watch, mask, _cookie, length = struct.unpack_from("iIII", events, offset)
            offset += 16
            name = os.fsdecode(events[offset : offset + length].rstrip(b"\0"))
            offset += length
            try:
                self._event(watch, mask, name)
            except (OSError, AgentError):
                self._note("changed", "")  # e.g. no watches left for a new folder

    def _event(self, watch, mask, name):
        if mask & OVERFLOW:
            self._note("changed", "")
            return
        folder = self._paths.get(watch)
        if folder is None or (name and is_ours(name)):
            return
        if mask & IGNORED:
            del self._paths[watch]
            return
        if mask & (DELETE_SELF | MOVE_SELF):
            if folder == "" and self._only is None:
                self._note("deleted", "")
                self._ended = True
            return
        if self._only is not None and name != self._only:
            return
        path = folder if not name else "" if self._only is not None else f"{folder}/{name}"
        self._change(mask, path)

    def _change(self, mask, path):
        if mask & (DELETE | MOVED_FROM):
            self._note("deleted", path)
            if mask & IS_DIRECTORY:
                self._forget(path)
        elif mask & (CREATE | MOVED_TO):
            self._note("created", path)
            if mask & IS_DIRECTORY and self._recursive:
                self._enter(path)
        else:
            self._note("changed", path)

    def _forget(self, path):
        for watch, known in list(self._paths.items()):
            if known == path or known.startswith(path + "/"):
                _libc.inotify_rm_watch(self._inotify, watch)
                del self._paths[watch]

    def _enter(self, path):
        """A new folder. It is found anew from the root: the watched one is not kept open, or its end went unseen."""
        try:
            with self._volume.find([*self._parts, *path.split("/")[1:]], follow=False) as place:
                if place.is_directory:
                    self._add_child(place.directory, place.name, path, report=True)
        except AgentError as error:
            if error.code == "capacity":
                raise
            # Else it is gone by now.

    def _note(self, type_, path):
        before = self._changes.get(path)
        if before == "created" and type_ == "changed":
            return
        if before == "deleted" and type_ == "created":
            type_ = "changed"
        self._changes[path] = type_

    def _flush(self):
        changes, self._changes = self._changes, {}
        if not changes:
            return
        if len(changes) > MAX_CHANGES:
            changes = {"": "changed"}
        self._tell([[type_, to_wire(self._path + path) or "/"] for path, type_ in changes.items()])

    def stop(self):
        with self._lock:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def _release(self):
        with self._lock:
            for file in (self._inotify, self._wake):
                os.close(file)
            self._wake = -1


class Watches:
    def __init__(self):
        self._watches = {}

    def watch(self, volume, request, _payload, job):
        with volume.existing(split(request["path"])) as place:
            self._watches[job.id] = Watch(volume, request["path"], place, request["recursive"], job.changes)
        return {"watch": job.id}

    def unwatch(self, _volume, request, _payload, _job):
        watch = self._watches.pop(request["watch"], None)
        if watch is not None:
            watch.stop()
        return {}


def _checked(result):
    if result >= 0:
        return result
    code = ctypes.get_errno()
    if code in (24, 28):  # EMFILE, ENOSPC: of watches, not of the disk
        raise AgentError("capacity", "no inotify watches left (fs.inotify.max_user_watches)")
    raise OSError(code, os.strerror(code))
