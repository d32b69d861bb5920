"""Uploads arrive in a hidden folder of the volume's root and are moved to where they belong when they are complete.

A stage is locked by the agent that made it: one that can be locked is what a dead upload left.
"""

import contextlib
import errno
import os
import stat as modes
import threading
import time

import attributes
import durable
import leftovers
import saving
import swapping
from content import SET_ID
from copied import Copied, remove_original
from copying import TreeCopy
from errors import NO_ROOM, AgentError, as_agent_error
from names import STAGE, is_ours, split, to_wire
from opened import let_in, put
from places import READ_DIRECTORY, is_elsewhere, lstat, make_locked, refuse_device, top_of_mount
from trees import count_files, refuse_mounts, refuse_root, remove_tree, settled

CLOSE_SECONDS = 5


class Stages:
    def __init__(self, notes):
        self._locks = {}
        self._notes = notes

    def stage(self, volume, _request, _payload, _job):
        name, lock = make_locked(STAGE, volume.root)
        # What the root gives to its files by default is not for what only passes through.
        attributes.write(lock, {})
        self._locks[name] = lock
        return {"stage": "/" + name}

    def unstage(self, volume, request, _payload, _job):
        self._drop(volume, self._name(request))
        return {}

    def _name(self, request):
        parts = split(request["stage"])
        if len(parts) != 1 or parts[0] not in self._locks:
            raise AgentError("gone", "no such stage")
        return parts[0]

    def _drop(self, volume, name):
        remove_tree(name, volume.root, forced=True)
        os.close(self._locks.pop(name))

    def close(self, volume):
        """The engine may still be unpacking into one of them for a moment, also when it was killed."""
        end = time.monotonic() + CLOSE_SECONDS
        while self._locks:
            for name in list(self._locks):
                with contextlib.suppress(OSError):
                    self._drop(volume, name)
            if time.monotonic() > end:
                return
            if self._locks:
                time.sleep(0.05)

    def sweep(self, volume, _request, _payload, job):
        """Removes the stages that nobody holds; those that somebody still does, when they are let go. Finishes the rest."""
        # What somebody has put there under such a name must not close the volume.
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AgentError):
            with _readable(volume.root) as root:
                swapping.sweep(root)
        found = [each for each in leftovers.stages_of(volume) if each[0] not in self._locks]
        late = [each for each in found if not leftovers.sweep(volume, *each)]
        if late:
            threading.Thread(target=leftovers.sweep_late, args=(volume, late), daemon=True).start()
        finished, left = saving.sweep(volume, job.check)
        return {"swept": len(found) - len(late) + finished, "left": left}

    def copy(self, volume, request, _payload, job):
        with _from_and_to(volume, request) as (source, target):
            work = _copy(volume, source, target, request["overwrite"], job, copied=self._notes.of(request))
            return {**settled(volume, target), **_report(work, source, target)}

    def move(self, volume, request, _payload, job):
        """To where a rename does not lead, as something else is mounted there. The original goes when all of it arrived."""
        with _from_and_to(volume, request) as (source, target):
            refuse_root(source)
            if source.is_directory:
                refuse_mounts(source)
            copied = Copied()
            work = _copy(volume, source, target, request["overwrite"], job, is_move=True, copied=copied)
            remove_original(source, copied, job)
            return {**settled(volume, target), **_report(work, source, target)}

    def merge(self, volume, request, _payload, job):
        stage = self._name(request)
        source = os.open(stage, READ_DIRECTORY, dir_fd=volume.root)
        try:
            durable.sync_below(source)
            # Before anything is moved out of it: that changes its times.
            facts = swapping.facts_of(source)
            with volume.existing(split(request["target"])) as place:
                target = os.open(place.name, READ_DIRECTORY, dir_fd=place.directory)
                merge = Merge(request["policy"], job, volume, place.path.rstrip("/"))
            try:
                merge.folder(source, target, "")
                merge.names.finish()
                if request.get("dressed"):
                    swapping.dress(target, facts, source)
            finally:
                merge.names.close()
                os.close(target)
        finally:
            os.close(source)
            self._drop(volume, stage)
        return merge.result()


@contextlib.contextmanager
def _readable(root):
    folder = os.open(".", READ_DIRECTORY, dir_fd=root)
    try:
        yield folder
    finally:
        os.close(folder)


@contextlib.contextmanager
def _from_and_to(volume, request):
    with volume.existing(split(request["from"]), follow=False) as source:
        with volume.find(split(request["to"]), follow=False) as target:
            refuse_root(target)
            if (source.stat.st_dev, source.stat.st_ino) in target.above():
                raise AgentError("bad_request", "a folder can't be put into itself")
            if not target.missing and not request["overwrite"]:
                raise AgentError("path_exists", path=to_wire(target.path))
            refuse_device(target.stat)
            yield source, target


@contextlib.contextmanager
def _stage_in(directory):
    """A stage of one request."""
    name, stage = make_locked(STAGE, directory)
    try:
        # What the folder gives to its files by default is not for what only passes through.
        attributes.write(stage, {})
        yield stage
    finally:
        remove_tree(name, directory, forced=True)
        os.close(stage)


@contextlib.contextmanager
def _near(volume, directory):
    """Where a stage is to be that is renamed from into a folder, and that the next sweep finds."""
    if is_elsewhere(volume.root, directory):
        with top_of_mount(directory, volume.root) as top:
            yield top
    else:
        yield volume.root


def _copy(volume, source, target, overwrite, job, is_move=False, copied=None):
    """By way of a stage: a copy that is cut off leaves nothing where it was going to."""
    with _near(volume, target.directory) as where, _stage_in(where) as stage:
        work = TreeCopy(job, stage, copied)
        work.copy(source.name, source.directory, "copy", stage, "copy")
        if work.failed and (is_move or lstat("copy", stage) is None):
            path, error = work.failed[0]
            raise AgentError(error.code, error.detail, to_wire(_from(source, path)))
        # What goes to a stage is written when that one is merged.
        is_final = not is_ours(target.path.split("/")[1], STAGE)
        if is_final:
            durable.sync_below(stage)
        if overwrite:
            os.rename("copy", target.name, src_dir_fd=stage, dst_dir_fd=target.directory)
        else:
            put("copy", stage, target.name, target.directory, lambda status: saving.noted_mode(volume, target.path, status))
        if is_final:
            durable.sync_folder(target.directory)
    return work


def _from(source, path):
    """The path in the volume of what a copy has at `path`."""
    return source.path.rstrip("/") + path.removeprefix("copy")


def _report(work, source, target):
    failed = [{**error.reply(None), "path": to_wire(_from(source, path))} for path, error in work.failed]
    lost = work.losses.rows(lambda path: to_wire(target.path + path.removeprefix("copy")))
    return {"bytes": work.bytes, "failed": failed, "lost": lost}


@contextlib.contextmanager
def _opened(name, directory, flags=os.O_RDONLY):
    file = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    try:
        yield file
    finally:
        os.close(file)


class Merge:
    """Moves what a folder holds into another one. Folders are merged; of files, the policy decides."""

    def __init__(self, policy, job, volume, base):
        """`base`: the path of the folder that things are moved into."""
        self.policy = policy
        self.job = job
        self.check = job.check
        self.volume = volume
        self.base = base
        self.names = durable.Names()
        # The open folders that something was put into.
        self._changed = set()
        self.files = 0
        self.lost = []
        self.skipped = []
        self.renamed = []
        self.failed = []

    def result(self):
        return {
            "files": self.files,
            "skipped": self.skipped,
            "renamed": self.renamed,
            "failed": self.failed,
            "lost": self.lost,
        }

    def folder(self, source, target, path):
        with os.scandir(source) as entries:
            names = sorted(item.name for item in entries)
        elsewhere = []
        for name in names:
            self.check()
            if not self._child(name, source, target, f"{path}/{name}"):
                elsewhere.append(name)
        if elsewhere:
            self._across(elsewhere, source, target, path)
        if target in self._changed:
            self._changed.remove(target)
            self.names.changed(target)

    def _placed(self, count, target):
        self.files += count
        self._changed.add(target)

    def _child(self, name, source, target, path):
        """False: the target is another file system, or another mount of this one."""
        try:
            # Counted in the stage: for that closed folders are opened, and nobody is to find them so.
            count = count_files(name, source) if lstat(name, target) is None else None
            put(name, source, name, target, self._noted(path))
            self._placed(count_files(name, target) if count is None else count, target)
            return True
        except FileExistsError:
            pass
        except OSError as error:
            if error.errno == errno.EXDEV:
                return False
            self._failed(path, as_agent_error(error))
            return True
        new = os.stat(name, dir_fd=source, follow_symlinks=False)
        old = lstat(name, target)
        if modes.S_ISDIR(new.st_mode) and old is not None and modes.S_ISDIR(old.st_mode):
            if self.policy == "rename" and path.count("/") == 1:
                self._renamed(name, source, target, path)
            else:
                self._both(name, source, target, path)
        else:
            self._conflict(name, source, target, path, new, old)
        return True

    def _across(self, names, source, target, path):
        """Copied to a stage on the mount where they belong, and from there by rename."""
        with top_of_mount(target, self.volume.root) as top, _stage_in(top) as stage:
            work = TreeCopy(self.job, stage)
            for name in names:
                self._copy_across(work, name, source, stage, path)
            self.lost += work.losses.rows(lambda each: to_wire(f"{path}/{each}"))
            durable.sync_below(stage)
            for name in names:
                if lstat(name, stage) is not None and not self._child(name, stage, target, f"{path}/{name}"):
                    self._failed(f"{path}/{name}", AgentError("not_supported", "what is mounted there changed"))

    def _copy_across(self, work, name, source, stage, path):
        try:
            work.copy(name, source, name, stage, name)
        except AgentError:
            raise
        except OSError as error:
            remove_tree(name, stage, forced=True)
            self._failed(f"{path}/{name}", as_agent_error(error))
        for each, error in work.failed:
            self._failed(f"{path}/{each}", error)
        work.failed.clear()

    def _both(self, name, source, target, path):
        try:
            self._into(name, source, target, path)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise
            self._failed(path, as_agent_error(error))

    def _into(self, name, source, target, path):
        # The stage is ours: what its folders let nobody do is meant for where they go.
        let_in(name, source)
        inner = os.open(name, READ_DIRECTORY, dir_fd=source)
        try:
            if not os.listdir(inner):
                return
            outer = os.open(name, READ_DIRECTORY, dir_fd=target)
            try:
                self.folder(inner, outer, path)
            finally:
                os.close(outer)
        finally:
            os.close(inner)

    def _conflict(self, name, source, target, path, new, old):
        if self.policy == "fail":
            raise AgentError("path_exists", path=to_wire(path))
        if self.policy == "skip":
            self.skipped.append(to_wire(path))
        elif self.policy == "rename":
            self._renamed(name, source, target, path)
        elif modes.S_ISDIR(new.st_mode):
            self._failed(path, AgentError("not_a_directory", "a folder does not replace a file"))
        elif old is not None and modes.S_ISDIR(old.st_mode):
            self._failed(path, AgentError("is_a_directory", "a file does not replace a folder"))
        else:
            self._replace(name, source, target, path, new, old)

    def _replace(self, name, source, target, path, new, old):
        """An existing file keeps its owner and mode; a link on either side is replaced as it is."""
        try:
            refuse_device(old)
            is_file = old is not None and modes.S_ISREG(old.st_mode) and modes.S_ISREG(new.st_mode)
            if is_file:
                with _opened(name, source) as file:
                    os.fchown(file, old.st_uid, old.st_gid)
                    os.fchmod(file, modes.S_IMODE(old.st_mode) & ~SET_ID)
            try:
                os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)
            except OSError as error:
                if error.errno != errno.EBUSY or not is_file:
                    raise
                self._write_over(name, source, target, path)
            self._placed(1, target)
        except (OSError, AgentError) as error:
            self._failed(path, as_agent_error(error))

    def _write_over(self, name, source, target, path):
        """Something is mounted there, which nothing can take the place of: it gets the content, as with cp."""
        with _opened(name, source) as content, _opened(name, target, os.O_RDWR) as file:
            saving.write_over(self.volume, self.base + path, file, content)

    def _renamed(self, name, source, target, path):
        """`name (2).txt`, `name (3).txt`, … whichever is free first."""
        stem, dot, extension = name.rpartition(".")
        if not stem or lstat(name, source) is None or modes.S_ISDIR(lstat(name, source).st_mode):
            stem, dot, extension = name, "", ""
        count = count_files(name, source)
        parent = path.rpartition("/")[0]
        for number in range(2, 10_000):
            free = f"{stem} ({number}){dot}{extension}"
            try:
                put(name, source, free, target, self._noted(f"{parent}/{free}"))
            except FileExistsError:
                continue
            except OSError as error:
                self._failed(path, as_agent_error(error))
                return
            self._placed(count, target)
            self.renamed.append({"from": to_wire(path), "to": to_wire(f"{parent}/{free}")})
            return
        self._failed(path, AgentError("path_exists"))

    def _noted(self, path):
        return lambda status: saving.noted_mode(self.volume, self.base + path, status)

    def _failed(self, path, error):
        self.failed.append({**error.reply(to_wire(path)), "path": to_wire(path)})
