"""A snapshot put back: its tree made in a stage of the volume, where what has not changed is the volume's own file."""

import os
import stat as modes

import swapping
from keeping import path_of
from manifest import Reader, Writer, facts_of, has_names, is_same
from names import STAGE
from places import READ_DIRECTORY, lstat, make_locked
from trees import remove_tree
from walk import GONE, Walk, folders_of, link


def put(live, tree, manifest, duplicator, check, wait):
    """`live` and `tree` are open directories, `manifest` an open file. `wait` returns when the swap is to be done.

    Nothing has changed when it raises an error, but for one of the swap itself: whoever opens the volume next goes on.
    """
    swapping.sweep(live)
    stage, folder = make_locked(STAGE, live)
    try:
        try:
            os.mkdir(swapping.NEW, 0o700, dir_fd=folder)
            new = os.open(swapping.NEW, READ_DIRECTORY, dir_fd=folder)
            try:
                _Filling(live, tree, new, duplicator).run(Reader(manifest), check)
            finally:
                os.close(new)
            swapping.prepare(folder)
            wait()
            stage = swapping.begin(live, stage, folder)
        except BaseException:
            remove_tree(stage, live, forced=True)
            raise
        stage = swapping.finish(live, stage, folder)
        remove_tree(stage, live, forced=True)
        status = os.fstat(tree)
        os.utime(live, ns=(status.st_atime_ns, status.st_mtime_ns))
    finally:
        os.close(folder)


def renewed(live, before, after, check):
    """The manifest of what was put back: the same content, in the files that are there now."""
    walk, reader, writer = Walk(live), Reader(before), Writer(after)
    try:
        for parts, entries in folders_of(walk, check):
            _, files, _ = reader.of(parts)
            kept = [
                [name, facts_of(status), files[name][1]]
                for name, status in entries
                if name in files and not modes.S_ISDIR(status.st_mode)
            ]
            writer.line(parts, facts_of(os.fstat(walk.folder)), kept)
    finally:
        walk.close()


class _Filling:
    def __init__(self, live, tree, new, duplicator):
        self._live = Walk(live)
        self._tree = Walk(tree)
        self._new = Walk(new)
        self._other = Walk(new)
        self._duplicator = duplicator
        # Inode of a file with several names to where the first of them is.
        self._first = {}
        self._folders = []

    def run(self, manifest, check):
        try:
            for parts, entries in folders_of(self._tree, check):
                self._folder(parts, entries, manifest.of(parts)[1])
            for parts, status in reversed(self._folders):
                self._tree.go(parts)
                self._new.go(parts)
                self._duplicator.folder(self._tree.folder, self._new.folder, status, path_of(parts))
        finally:
            for walk in (self._live, self._tree, self._new, self._other):
                walk.close()

    def _folder(self, parts, entries, files):
        self._new.go(parts)
        is_there = self._go_live(parts)
        self._folders.append((parts, os.fstat(self._tree.folder)))
        for name, status in entries:
            if modes.S_ISDIR(status.st_mode):
                os.mkdir(name, 0o700, dir_fd=self._new.folder)
                continue
            entry = files.get(name)
            group = status.st_ino if entry is not None and has_names(entry[0]) else None
            if self._link_first(group, name):
                continue
            if not (is_there and self._link_live(name, entry)):
                path = path_of((*parts, name))
                self._duplicator.entry(name, self._tree.folder, self._new.folder, path)
            if group is not None:
                self._first.setdefault(group, (parts, name))

    def _go_live(self, parts):
        try:
            self._live.go(parts)
            return True
        except GONE:
            return False

    def _link_live(self, name, entry):
        status = lstat(name, self._live.folder)
        if entry is None or status is None or not is_same(entry[0], status):
            return False
        return link(name, self._live.folder, name, self._new.folder)

    def _link_first(self, group, name):
        """Names of one file stay that, wherever the first of them came from."""
        first = self._first.get(group)
        if first is None:
            return False
        self._other.go(first[0])
        return link(first[1], self._other.folder, name, self._new.folder)
