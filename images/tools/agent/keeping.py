"""Makes a snapshot: a plain tree in which every file that has not changed since an earlier one is that one's file.

1. `fill` makes the tree while programs go on: what they change meanwhile it has in a state of no moment.
2. `again`, as often as one likes, makes that good while they still go on: less is left to do.
3. `settle` does so while they are frozen: only what has changed since is copied.
A file counts as unchanged when nothing of it differs, the time of its last change and its inode included. What a program
has mapped it may change without another time, until the file is written to the disk: so all is written first, and what
has changed since then is copied in `settle`, and again for the next snapshot.
"""

import errno
import os
import stat as modes
import time

import durable
from manifest import Reader, Writer, facts_of, is_same
from places import lstat
from trees import remove_tree
from walk import GONE, Walk, folders_of, link

# More than one step of the clock of a file system.
STEP_NS = 1_000_000_000
# What becomes of a file that another thing takes the place of while it is looked at.
_REPLACED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EINVAL)


class Keeping:
    """`live`, `tree` and `previous` are open directories: the volume, the draft, and the tree of an earlier one."""

    def __init__(self, live, tree, previous, duplicator, check):
        self.live = live
        self.tree = tree
        self.previous = previous
        self.duplicator = duplicator
        self.check = check
        self.since = None
        # (device, inode) of a file with several names to where the first one is in the tree, and its entry.
        self.made = {}

    def fill(self, before, manifest):
        """`before` and `manifest` are open files: the manifest of the earlier one, or None, and the new one."""
        self.since = time.time_ns() - STEP_NS
        durable.sync_file_system(self.live)
        _First(self).run(Reader(before), Writer(manifest))

    def again(self, before, manifest):
        """`before` is the manifest that was written last."""
        self.made = {}
        self.since = time.time_ns() - STEP_NS
        durable.sync_file_system(self.live)
        _Second(self).run(Reader(before), Writer(manifest))

    def settle(self, before, manifest):
        """`before`: as there. Afterwards the tree is as the volume was all the time that this took."""
        self.made = {}
        _Second(self).run(Reader(before), Writer(manifest))


def wanted(live, before, check):
    """Bytes that `fill` is going to copy, and how many entries there are. `before`: as there."""
    reader, walk = Reader(before), Walk(live)
    copied, count, seen = 0, 0, set()
    try:
        for parts, entries in folders_of(walk, check):
            _, files, _ = reader.of(parts)
            for name, status in entries:
                count += 1
                entry = files.get(name)
                if entry is not None and is_same(entry[0], status):
                    continue
                key = (status.st_dev, status.st_ino)
                if status.st_nlink == 1 or modes.S_ISDIR(status.st_mode) or key not in seen:
                    copied += status.st_blocks * 512
                seen.add(key)
    finally:
        walk.close()
    return copied, count


class _Pass:
    """One walk through the volume, and the tree made the same."""

    def __init__(self, keeping):
        self._keeping = keeping
        self._live = Walk(keeping.live)
        self._tree = Walk(keeping.tree)
        self._other = Walk(keeping.tree)
        # Directories whose times and attributes are to be given again, with their status.
        self._touched = []

    def run(self, before, after):
        try:
            for parts, entries in folders_of(self._live, self._keeping.check):
                self._folder(parts, entries, before.of(parts), after)
            self._dress()
        finally:
            self._close()

    def _close(self):
        for walk in (self._live, self._tree, self._other):
            walk.close()

    def _folder(self, parts, entries, known, after):
        facts, files, line = known
        self._tree.go(parts)
        has_changed = self._begin(parts, entries, files)
        kept = []
        for name, status in entries:
            if modes.S_ISDIR(status.st_mode):
                has_changed |= self._make_folder(name)
                continue
            entry = files.get(name)
            if entry is not None and is_same(entry[0], status) and self._keep(parts, name, status, entry):
                kept.append([name, *entry])
                continue
            has_changed = True
            entry = self._make(parts, name, status)
            if entry is not None:
                kept.append([name, *entry])
        status = os.fstat(self._live.folder)
        if has_changed or not is_same(facts, status):
            self._touched.append((parts, status))
            after.line(parts, facts_of(status, self._keeping.since), kept)
        else:
            after.again(line)

    def _dress(self):
        """Deepest first, as what is in a directory changes its times."""
        for parts, status in reversed(self._touched):
            try:
                self._live.go(parts)
            except GONE:
                continue
            self._tree.go(parts)
            self._keeping.duplicator.folder(self._live.folder, self._tree.folder, status, path_of(parts))

    def _make_folder(self, name):
        """Whether it was not there."""
        try:
            os.mkdir(name, 0o700, dir_fd=self._tree.folder)
            return True
        except FileExistsError:
            pass
        if modes.S_ISDIR(lstat(name, self._tree.folder).st_mode):
            return False
        os.unlink(name, dir_fd=self._tree.folder)
        os.mkdir(name, 0o700, dir_fd=self._tree.folder)
        return True

    def _make(self, parts, name, status):
        """The entry of the manifest; None when it is gone by now."""
        first = self._first_name(status)
        if first is not None and self._link_to(*first[:2], name):
            return first[2]
        path = path_of((*parts, name))
        try:
            found, digest = self._keeping.duplicator.entry(name, self._live.folder, self._tree.folder, path)
        except OSError as error:
            if error.errno not in _REPLACED:
                raise
            remove_tree(name, self._tree.folder, forced=True)
            return None
        entry = (facts_of(found, self._keeping.since), digest)
        self._note(parts, name, found, entry)
        return entry

    def _first_name(self, status):
        return self._keeping.made.get((status.st_dev, status.st_ino)) if status.st_nlink > 1 else None

    def _note(self, parts, name, status, entry):
        if status.st_nlink > 1:
            self._keeping.made.setdefault((status.st_dev, status.st_ino), (parts, name, entry))

    def _link_to(self, parts, first, name):
        self._other.go(parts)
        return link(first, self._other.folder, name, self._tree.folder)


class _First(_Pass):
    def __init__(self, keeping):
        super().__init__(keeping)
        self._previous = Walk(keeping.previous) if keeping.previous is not None else None
        self._is_there = False

    def _close(self):
        super()._close()
        if self._previous is not None:
            self._previous.close()

    def _begin(self, parts, entries, files):
        self._is_there = self._previous is not None and bool(files)
        if self._is_there:
            try:
                self._previous.go(parts)
            except GONE:
                self._is_there = False
        return True

    def _keep(self, parts, name, status, entry):
        # Names of one file stay that, also where one of them could not be linked.
        if not self._is_there or self._first_name(status) is not None:
            return False
        if not link(name, self._previous.folder, name, self._tree.folder):
            return False
        self._note(parts, name, status, entry)
        return True


class _Second(_Pass):
    def _begin(self, parts, entries, files):
        names = {name for name, _ in entries}
        gone = [name for name in os.listdir(self._tree.folder) if name not in names]
        for name in gone:
            remove_tree(name, self._tree.folder, forced=True)
        return bool(gone)

    def _keep(self, parts, name, status, entry):
        first = self._first_name(status)
        if first is not None and not self._is_at(first, name):
            # Another name of it was new, and came before.
            return False
        self._note(parts, name, status, entry)
        return True

    def _is_at(self, first, name):
        self._other.go(first[0])
        one, other = lstat(first[1], self._other.folder), lstat(name, self._tree.folder)
        return one is not None and other is not None and one.st_ino == other.st_ino

    def _make(self, parts, name, status):
        remove_tree(name, self._tree.folder, forced=True)
        return super()._make(parts, name, status)


def path_of(parts):
    return "/" + "/".join(parts)
