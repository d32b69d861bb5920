"""Folders, and whole trees: walked by open directories, never by paths, so that no link is ever followed."""

import errno
import os
import stat as modes
import time

import attributes
from entries import entry
from errors import ONE_OF_MANY, AgentError, as_agent_error
from mounts import kernel_devices, mounted_in
from names import is_ours, split, to_wire
from opened import let_in, set_mode
from places import READ_DIRECTORY, lstat, refuse_device, rename_new

NEW_FOLDER_MODE = 0o755
PROGRESS_EVERY = 0.1


def refuse_root(place):
    if place.is_root:
        raise AgentError("bad_request", "the root of a volume stays")


def make_folder(directory, name, mode=NEW_FOLDER_MODE):
    """A new folder that belongs to whom the folder around it gives it."""
    parent = os.stat(".", dir_fd=directory)
    os.mkdir(name, 0o700, dir_fd=directory)
    folder = os.open(name, READ_DIRECTORY, dir_fd=directory)
    try:
        attributes.give(folder, *attributes.owner_in(directory))
        os.fchmod(folder, mode | (parent.st_mode & modes.S_ISGID))
    finally:
        os.close(folder)


def mkdir(volume, request, _payload, _job):
    parts = split(request["path"])
    with_parents = request.get("parents", False)
    for depth in range(1 if with_parents else len(parts), len(parts) + 1):
        with volume.find(parts[:depth]) as place:
            if place.missing:
                make_folder(place.directory, place.name)
            elif not place.is_directory:
                raise AgentError("path_exists" if depth == len(parts) else "not_a_directory")
            elif not with_parents:
                raise AgentError("path_exists")
    with volume.existing(parts, follow=False) as place:
        return {"entry": entry(volume, place)}


def settled(volume, place):
    place.settle(place.name)
    if place.missing:
        raise AgentError("path_not_found", "it was there and is gone")
    return {"entry": entry(volume, place)}


def is_same_file(source, target):
    return not target.missing and os.path.samestat(source.stat, target.stat)


def refuse_itself(source, target):
    """One name in one folder, by whichever path. A folder may have two only where something is mounted twice."""
    if not is_same_file(source, target):
        return
    folders = (os.fstat(place.directory) for place in (source, target))
    if source.is_directory or (source.name == target.name and os.path.samestat(*folders)):
        raise AgentError("bad_request", "source and target are the same file", path=to_wire(target.path))


def rename(volume, request, _payload, _job):
    with volume.existing(split(request["from"]), follow=False) as source:
        with volume.find(split(request["to"]), follow=False) as target:
            refuse_root(source)
            refuse_root(target)
            names = (source.name, source.directory, target.name, target.directory)
            refuse_itself(source, target)
            if request["overwrite"]:
                refuse_device(target.stat)
            try:
                if request["overwrite"] and is_same_file(source, target):
                    # rename(2) would leave both names: as with mv, the old one goes.
                    os.unlink(source.name, dir_fd=source.directory)
                elif request["overwrite"]:
                    os.rename(names[0], names[2], src_dir_fd=names[1], dst_dir_fd=names[3])
                else:
                    _rename_new(source, target, names)
            except OSError as error:
                if error.errno == errno.EXDEV:
                    return {"elsewhere": True}  # whoever asks has time for a `move`
                raise
            return settled(volume, target)


def _rename_new(source, target, names):
    try:
        rename_new(*names)
    except FileExistsError as error:
        raise AgentError("path_exists", path=to_wire(target.path)) from error
    except OSError as error:
        if source.is_directory and (source.stat.st_dev, source.stat.st_ino) in target.above():
            raise AgentError("bad_request", "a folder can't be moved into itself") from error
        raise


def remove(volume, request, _payload, job):
    removal = Removal(job)
    with volume.existing(split(request["path"]), follow=False) as place:
        refuse_root(place)
        if not place.is_directory:
            os.unlink(place.name, dir_fd=place.directory)
            removal.removed()
        elif request["recursive"]:
            refuse_mounts(place)
            remove_tree(place.name, place.directory, removal)
        else:
            os.rmdir(place.name, dir_fd=place.directory)
            removal.removed()
    return {"removed": removal.count}


def refuse_mounts(place):
    """What is mounted in a folder, a volume of several workspaces for example, does not go with it."""
    folder = os.open(place.name, READ_DIRECTORY, dir_fd=place.directory)
    try:
        mounted = mounted_in(folder)
    finally:
        os.close(folder)
    if mounted:
        raise AgentError("in_use", f"something is mounted at {to_wire(mounted[0])}")


class Removal:
    """Tells now and then how many names are gone; raises when the job was cancelled."""

    def __init__(self, job):
        self._job = job
        self.count = 0
        self._told = time.monotonic()

    def check(self):
        self._job.check()

    def removed(self):
        self.count += 1
        now = time.monotonic()
        if now - self._told >= PROGRESS_EVERY:
            self._told = now
            self._job.progress(self.count)


class Quiet:
    """A removal that nobody follows."""

    def check(self):
        pass

    def removed(self):
        pass


def remove_tree(name, directory, removal=Quiet(), forced=False):
    """Removes a name and all below it; nothing there is fine. `forced`: also what is in folders that let nobody in."""
    status = lstat(name, directory)
    if status is None:
        return
    if not modes.S_ISDIR(status.st_mode):
        os.unlink(name, dir_fd=directory)
        removal.removed()
        return
    # Somebody may put new files in while we remove: a few more rounds, then their ENOTEMPTY is the answer.
    for attempts_left in (2, 1, 0):
        with Descent(name, directory, forced) as descent:
            _empty(descent, removal)
        try:
            os.rmdir(name, dir_fd=directory)
            removal.removed()
            return
        except OSError:
            if attempts_left == 0:
                raise


def _empty(descent, removal):
    """Without recursion: the lists are of the folders that are left, of each level."""
    left = [_clear(descent.folder, removal)]
    while True:
        if left[-1]:
            try:
                descent.down(left[-1][-1])
            except FileNotFoundError:
                left[-1].pop()
                continue
            left.append(_clear(descent.folder, removal))
            continue
        left.pop()
        if not left:
            return
        descent.up()
        try:
            os.rmdir(left[-1].pop(), dir_fd=descent.folder)
            removal.removed()
        except OSError as error:
            # What somebody puts in meanwhile is for the next round.
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                raise


def _clear(folder, removal):
    """Removes the files of an open folder; answers the names of the folders in it."""
    with os.scandir(folder) as entries:
        found = [(item.name, item.is_dir(follow_symlinks=False)) for item in entries]
    for name, is_directory in found:
        removal.check()
        if not is_directory:
            _unlink_if_there(name, folder)
            removal.removed()
    return [name for name, is_directory in found if is_directory]


class Descent:
    """A folder and those below it, with one of them open at a time: however deep a tree is, it takes no more.

    `forced`: an ordinary user's own folders that let nobody in are opened for a while.
    """

    def __init__(self, name, directory, forced=False):
        self._forced = forced
        # Device and inode of the folders above, and the modes that they and the one in work are to have again.
        self._above = []
        self._modes = []
        self.folder = self._opened(name, directory)

    def _opened(self, name, directory):
        self._modes.append(let_in(name, directory) if self._forced else None)
        return os.open(name, READ_DIRECTORY, dir_fd=directory)

    def down(self, name):
        inner = self._opened(name, self.folder)
        status = os.fstat(self.folder)
        self._above.append((status.st_dev, status.st_ino))
        os.close(self.folder)
        self.folder = inner

    def up(self):
        outer = os.open("..", READ_DIRECTORY, dir_fd=self.folder)
        status = os.fstat(outer)
        self._give_mode()
        os.close(self.folder)
        self.folder = outer
        if (status.st_dev, status.st_ino) != self._above.pop():
            raise AgentError("in_use", "a folder of it was moved meanwhile")

    def _give_mode(self):
        mode = self._modes.pop()
        if mode is not None:
            os.fchmod(self.folder, mode)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if len(self._modes) == 1:
            self._give_mode()
        os.close(self.folder)


def _unlink_if_there(name, directory):
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        pass


def chmod(volume, request, _payload, _job):
    with volume.existing(split(request["path"])) as place:
        set_mode(place.name, place.directory, request["mode"])
        return settled(volume, place)


def count_files(name, directory):
    """Files at and below a name; folders don't count."""
    status = lstat(name, directory)
    if status is None or not modes.S_ISDIR(status.st_mode):
        return 1
    with Descent(name, directory, forced=True) as descent:
        left, count = [], 0
        while True:
            with os.scandir(descent.folder) as entries:
                kinds = [(item.name, item.is_dir(follow_symlinks=False)) for item in entries]
            count += sum(not is_directory for _, is_directory in kinds)
            left.append([each for each, is_directory in kinds if is_directory])
            while not left[-1]:
                left.pop()
                if not left:
                    return count
                descent.up()
            descent.down(left[-1].pop())


class Usage:
    """What is below a place. What can't be read is counted, and the first of it named: the sums are lower bounds then."""

    def __init__(self, check):
        self.check = check
        self.unread = 0
        self.first_unread = None
        self.bytes = self.allocated = self.files = self.directories = 0
        self._linked = set()
        self._made_up = kernel_devices()

    def add(self, name, directory, path):
        self.check()
        try:
            self._add(name, directory, path)
        except FileNotFoundError:
            pass  # gone since its folder was read
        except ONE_OF_MANY as error:
            self.unread += 1
            self.first_unread = self.first_unread or {**as_agent_error(error).reply(None), "path": to_wire(path)}

    def _add(self, name, directory, path):
        status = lstat(name, directory)
        if status is None or status.st_dev in self._made_up:
            return
        if modes.S_ISDIR(status.st_mode):
            self.directories += 1
            self.allocated += status.st_blocks * 512
            self._below(name, directory, path)
            return
        self.files += 1
        self.bytes += status.st_size
        if status.st_nlink > 1:
            if (status.st_dev, status.st_ino) in self._linked:
                return
            self._linked.add((status.st_dev, status.st_ino))
        self.allocated += status.st_blocks * 512

    def _below(self, name, directory, path):
        folder = os.open(name, READ_DIRECTORY, dir_fd=directory)
        try:
            with os.scandir(folder) as entries:
                names = [item.name for item in entries if not is_ours(item.name)]
            for child in names:
                self.add(child, folder, f"{path}/{child}")
        finally:
            os.close(folder)


def usage(volume, request, _payload, job):
    total = Usage(job.check)
    with volume.existing(split(request["path"]), follow=False) as place:
        total.add(place.name, place.directory, place.path.rstrip("/"))
    reply = {
        "bytes": total.bytes,
        "allocated": total.allocated,
        "files": total.files,
        "directories": total.directories,
    }
    return reply if total.unread == 0 else {**reply, "unread": total.unread, "first_unread": total.first_unread}
