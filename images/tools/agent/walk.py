"""Going through a tree name by name: neither its depth nor the length of a path has a limit, and no link is followed."""

import errno
import os
import stat as modes

from names import is_ours
from places import READ_DIRECTORY


# What a directory answers that is not there any more, or is another thing by now.
GONE = (FileNotFoundError, NotADirectoryError)
_NO_LINK = (errno.EMLINK, errno.ENOENT, errno.EPERM, errno.EXDEV)


def link(source, source_folder, target, target_folder):
    """Gives a file another name; False where it can't have one there."""
    try:
        os.link(source, target, src_dir_fd=source_folder, dst_dir_fd=target_folder, follow_symlinks=False)
        return True
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise


class Walk:
    """An open directory that moves through a tree.

    Who renames directories meanwhile can't lead it out: it goes up only to where it came from.
    """

    def __init__(self, root):
        self._root = root
        self.folder = os.dup(root)
        self._parts = []
        self._above = []

    def go(self, parts):
        """Raises FileNotFoundError or NotADirectoryError when there is no such directory any more."""
        common = 0
        while common < min(len(parts), len(self._parts)) and parts[common] == self._parts[common]:
            common += 1
        if not self._up(len(self._parts) - common):
            self._enter(os.dup(self._root))
            self._parts, self._above, common = [], [], 0
        for name in parts[common:]:
            below = os.open(name, READ_DIRECTORY, dir_fd=self.folder)
            self._above.append(_identity(self.folder))
            self._parts.append(name)
            self._enter(below)

    def close(self):
        os.close(self.folder)

    def _up(self, levels):
        for _ in range(levels):
            above = os.open("..", READ_DIRECTORY, dir_fd=self.folder)
            if _identity(above) != self._above[-1]:
                os.close(above)
                return False
            self._parts.pop()
            self._above.pop()
            self._enter(above)
        return True

    def _enter(self, folder):
        os.close(self.folder)
        self.folder = folder


def folders_of(walk, check, failed=None, without=frozenset()):
    """Each directory from the root down, in the order of manifests: its parts, and names with their status.

    What goes away meanwhile is left out. The walk stands in the directory while it is looked at. `failed` is told of what can't
    be read, which else ends the walk. `without`: devices, as `st_dev` has them, that are not entered.
    """
    left = [()]
    while left:
        parts = left.pop()
        check()
        try:
            walk.go(parts)
            entries = _entries(walk.folder)
        except GONE:
            continue
        except OSError as error:
            if failed is None:
                raise
            failed(parts, error)
            continue
        yield parts, entries
        folders = [each for each in entries if modes.S_ISDIR(each[1].st_mode)]
        below = [(*parts, name) for name, status in folders if status.st_dev not in without]
        left.extend(reversed(below))


def _entries(folder):
    found = []
    with os.scandir(folder) as entries:
        for item in entries:
            if is_ours(item.name):
                continue
            try:
                found.append((item.name, item.stat(follow_symlinks=False)))
            except FileNotFoundError:
                continue
    found.sort(key=lambda entry: entry[0])
    return found


def _identity(folder):
    status = os.fstat(folder)
    return status.st_dev, status.st_ino
