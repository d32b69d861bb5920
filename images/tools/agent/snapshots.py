"""Snapshots of a volume, kept in another one. Reads requests from standard input, a line of JSON each, and answers so.

The store has a folder `ID` for each snapshot, with `tree`, `manifest` and `facts`, and `manifest@HASH` for each other volume
that it was put into; drafts and what is being removed are in
`.making`. `.last` holds, by volume, which snapshot's manifest knows the files that are in the volume now.
`main(live, store)`: the folders where both are mounted; live is `-` where no volume is needed.
Requests: `create` (answers `wanted` and `filled`, then waits for `again`, `settle` and `finish`), `restore` (answers `filled`,
then waits for `swap`), `heal`, `remove`, `held`, `verify`.
The end of the input cancels what is under way.
"""

import contextlib
import hashlib
import json
import os
import queue
import stat as modes
import sys
import threading
import time

import durable
import keeping
import putting
import swapping
import verified
from attributes import Losses
from duplicate import Duplicator
from errors import AgentError, Cancelled, as_agent_error
from manifest import Reader
from names import own_name, to_wire
from places import READ_DIRECTORY, lstat
from trees import remove_tree
from verifying import Verifying
from walk import Walk, folders_of

MAKING = ".making"
LAST = ".last"
TREE = "tree"
MANIFEST = "manifest"
FACTS = "facts"
FILLED = "filled"
REPORT_SECONDS = 0.2
# Bytes that a snapshot leaves free.
MARGIN = 64 * 1024 * 1024


def main(live, store):
    Program(live, store).run()


class Program:
    def __init__(self, live, store):
        self._live = None if live == "-" else _open(live)
        self._store = _open(store)
        self._lines = queue.Queue()
        self._ended = False
        self._done = 0
        self._reported = 0.0
        for name in (MAKING, LAST):
            try:
                os.mkdir(name, 0o700, dir_fd=self._store)
            except FileExistsError:
                pass

    def run(self):
        threading.Thread(target=self._listen, daemon=True).start()
        operations = {
            "create": self._create,
            "restore": self._restore,
            "heal": self._heal,
            "remove": self._remove,
            "held": self._held,
            "verify": self._verify,
        }
        while (request := self._lines.get()) is not None:
            self._done = 0
            try:
                answer = operations[request["op"]](request)
            except Exception as error:
                self._say(error=as_agent_error(error).reply(None))
                return
            self._say(done=answer)

    def _listen(self):
        for line in sys.stdin.buffer:
            self._lines.put(json.loads(line))
        self._ended = True
        self._lines.put(None)

    def _check(self):
        if self._ended:
            raise Cancelled()

    def _say(self, **answer):
        sys.stdout.write(json.dumps(answer, separators=(",", ":")) + "\n")
        sys.stdout.flush()

    def _moved(self, count):
        self._done += count
        now = time.monotonic()
        if now - self._reported > REPORT_SECONDS:
            self._reported = now
            self._say(progress=self._done)

    def _wait_for(self, *ops):
        request = self._lines.get()
        if request is None or request["op"] not in ops:
            raise Cancelled()
        return request["op"]

    # --- make one

    def _create(self, request):
        id_, volume = request["id"], request["volume"]
        with _Folders() as folders:
            making = folders.open(MAKING, self._store)
            os.mkdir(id_, 0o700, dir_fd=making)
            draft = folders.open(id_, making)
            os.mkdir(TREE, 0o700, dir_fd=draft)
            tree = folders.open(TREE, draft)
            before = self._last(volume)
            earlier = folders.open(before, self._store) if before is not None else None
            losses = Losses()
            duplicator = Duplicator(losses, self._check, self._moved)
            previous = folders.open(TREE, earlier) if earlier is not None else None
            work = keeping.Keeping(self._live, tree, previous, duplicator, self._check)
            self._announce(earlier, volume)
            known_as = _manifest_for(volume, earlier)
            with _reading(known_as, earlier) as known, _writing(FILLED, draft) as filled:
                work.fill(known, filled)
            self._say(filled=True)
            while self._wait_for("again", "settle") == "again":
                with _reading(FILLED, draft) as filled, _writing(MANIFEST, draft) as manifest:
                    work.again(filled, manifest)
                os.rename(MANIFEST, FILLED, src_dir_fd=draft, dst_dir_fd=draft)
                self._say(filled=True)
            with _reading(FILLED, draft) as filled, _writing(MANIFEST, draft) as manifest:
                work.settle(filled, manifest)
            self._say(settled=True)
            self._wait_for("finish")
            os.unlink(FILLED, dir_fd=draft)
            facts = {"volume": volume, "made": time.time(), "used": _used(tree), "unique": _unique(tree, draft)}
            _write_facts(draft, facts)
            _sync(self._store)
            os.rename(id_, id_, src_dir_fd=making, dst_dir_fd=self._store)
            self._set_last(volume, id_)
            if earlier is not None:
                self._count_again(earlier)
            return {**facts, "left": losses.rows(to_wire)}

    def _announce(self, earlier, volume):
        with _reading(_manifest_for(volume, earlier), earlier) as known:
            wanted, count = keeping.wanted(self._live, known, self._check)
        status = os.fstatvfs(self._store)
        free = status.f_bavail * status.f_frsize
        self._say(wanted=wanted, entries=count, free=max(0, free - MARGIN))
        if wanted + MARGIN > free:
            raise AgentError("no_space", f"{wanted} bytes are needed, {free} are free")

    def _last(self, volume):
        """The snapshot that knows the files of the volume as they are, if it is still there."""
        with _Folders() as folders:
            last = folders.open(LAST, self._store)
            try:
                id_ = os.readlink(volume, dir_fd=last)
            except FileNotFoundError:
                id_ = None
        if id_ is not None and lstat(id_, self._store) is not None:
            return id_
        return max(self._ids_of(volume), key=self._made_at, default=None)

    def _ids_of(self, volume):
        return [id_ for id_ in self._ids() if self._known(id_).get("volume") == volume]

    def _made_at(self, id_):
        return self._known(id_).get("made", 0)

    def _known(self, id_):
        """Nothing of one that another program has removed meanwhile."""
        with _Folders() as folders, contextlib.suppress(FileNotFoundError):
            return _facts_of(folders.open(id_, self._store))
        return {}

    def _set_last(self, volume, id_):
        with _Folders() as folders:
            last = folders.open(LAST, self._store)
            draft = own_name("-")
            os.symlink(id_, draft, dir_fd=last)
            os.rename(draft, volume, src_dir_fd=last, dst_dir_fd=last)
            durable.sync_folder(last)
        durable.sync_folder(self._store)

    # --- put one back

    def _restore(self, request):
        id_, volume = request["id"], request["volume"]
        losses = Losses()
        with _Folders() as folders:
            snapshot = self._existing(id_, folders)
            tree = folders.open(TREE, snapshot)
            duplicator = Duplicator(losses, self._check, self._moved)
            with _reading(MANIFEST, snapshot) as manifest:
                putting.put(self._live, tree, manifest, duplicator, self._check, self._wait_for_swap)
            draft = own_name(MANIFEST)
            with _reading(MANIFEST, snapshot) as before, _writing(draft, snapshot) as after:
                putting.renewed(self._live, before, after, lambda: None)
            # The files of another volume are not those that the next snapshot of its own one is compared with.
            is_own = _facts_of(snapshot).get("volume") == volume
            renewed = MANIFEST if is_own else _manifest_of(volume)
            os.rename(draft, renewed, src_dir_fd=snapshot, dst_dir_fd=snapshot)
            _sync(self._live)
        self._set_last(volume, id_)
        return {"left": losses.rows(to_wire)}

    def _wait_for_swap(self):
        self._say(filled=True)
        self._wait_for("swap")

    def _heal(self, _request):
        """Finishes a swap that somebody was killed in."""
        swapping.sweep(self._live)
        if swapping.is_under_way(self._live):
            raise AgentError("in_use", "a restore is under way in the volume")
        return {}

    def _existing(self, id_, folders):
        if lstat(id_, self._store) is None:
            raise AgentError("not_found", f"there is no snapshot {id_}")
        return folders.open(id_, self._store)

    # --- what there is

    def _remove(self, request):
        id_ = request["id"]
        with _Folders() as folders:
            making = folders.open(MAKING, self._store)
            volume = None
            if lstat(id_, self._store) is not None:
                volume = self._known(id_).get("volume")
                remove_tree(id_, making, forced=True)
                os.rename(id_, id_, src_dir_fd=self._store, dst_dir_fd=making)
                durable.sync_folder(self._store)
            remove_tree(id_, making, forced=True)
        for other in self._ids_of(volume) if volume is not None else ():
            with _Folders() as folders, contextlib.suppress(FileNotFoundError):
                self._count_again(folders.open(other, self._store))
        return {"left": len(self._ids())}

    def _held(self, _request):
        """Bytes by id: what goes when the snapshot does."""
        return {"held": {id_: self._known(id_).get("unique", 0) for id_ in self._ids()}}

    def _verify(self, request):
        with _Folders() as folders:
            snapshot = self._existing(request["id"], folders)
            tree = folders.open(TREE, snapshot)
            with verified.alone(folders.open(MAKING, self._store), self._check):
                known = {} if request["full"] else self._verified(self._known(request["id"]).get("volume"))
                with verified.Notes(snapshot) as notes, _reading(MANIFEST, snapshot) as manifest:
                    work = Verifying(tree, known, notes, self._check, self._moved)
                    work.run(Reader(manifest).lines())
                # Also of what was put into other volumes, and of this one by another name of the file.
                for id_ in self._ids() if work.bad else ():
                    with _Folders() as others, contextlib.suppress(FileNotFoundError):
                        verified.forget(others.open(id_, self._store), work.bad)
        problems = [[to_wire(keeping.path_of(parts)), what] for parts, what in work.problems]
        return {"checked": work.checked, "read": work.read, "damaged": work.damaged, "problems": problems}

    def _verified(self, volume):
        """What was read before, also in other snapshots that share it."""
        found = {}
        for id_ in self._ids_of(volume):
            with _Folders() as folders, contextlib.suppress(FileNotFoundError):
                found.update(verified.lines(folders.open(id_, self._store)))
        return found

    def _ids(self):
        return [name for name in os.listdir(self._store) if not name.startswith(".") and name != "lost+found"]

    def _count_again(self, snapshot):
        with _Folders() as folders:
            unique = _unique(folders.open(TREE, snapshot), snapshot)
        _write_facts(snapshot, {**_facts_of(snapshot), "unique": unique})


class _Folders:
    """Opens directories, and closes all of them at its end."""

    def __init__(self):
        self._open = []

    def __enter__(self):
        return self

    def open(self, name, directory):
        folder = os.open(name, READ_DIRECTORY, dir_fd=directory)
        self._open.append(folder)
        return folder

    def __exit__(self, *_error):
        for folder in self._open:
            os.close(folder)


def _open(path):
    return os.open(path, READ_DIRECTORY)


def _manifest_of(volume):
    """The manifest of a snapshot as it was put into a volume that it was not made of."""
    return f"{MANIFEST}@{hashlib.sha256(volume.encode()).hexdigest()[:32]}"


def _manifest_for(volume, snapshot):
    """The one that knows the files of the volume as they are."""
    if snapshot is not None and lstat(_manifest_of(volume), snapshot) is not None:
        return _manifest_of(volume)
    return MANIFEST


class _reading:
    """A file of a folder; None where there is no such folder."""

    def __init__(self, name, folder):
        self._name, self._folder, self._file = name, folder, None

    def __enter__(self):
        if self._folder is not None:
            self._file = open(os.open(self._name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._folder))
        return self._file

    def __exit__(self, *_error):
        if self._file is not None:
            self._file.close()


def _writing(name, folder):
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return open(os.open(name, flags, 0o600, dir_fd=folder), "w")


def _sync(folder):
    if not durable.sync_file_system(folder):
        os.sync()


def _facts_of(snapshot):
    try:
        with _reading(FACTS, snapshot) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def _write_facts(snapshot, facts):
    _write_json(FACTS, snapshot, facts)


def _write_json(name, snapshot, value):
    draft = own_name(name)
    with _writing(draft, snapshot) as file:
        json.dump(value, file, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())
    os.rename(draft, name, src_dir_fd=snapshot, dst_dir_fd=snapshot)


def _used(tree):
    """Bytes of the files, each counted once."""
    return sum(blocks for blocks, _, _ in _inodes(tree).values())


def _unique(tree, snapshot):
    """Bytes that nothing else has: files whose every name is in this tree, directories, the manifest."""
    own = sum(blocks for blocks, names, links in _inodes(tree, with_folders=True).values() if names == links)
    status = lstat(MANIFEST, snapshot)
    return own + (status.st_blocks * 512 if status is not None else 0)


def _inodes(tree, with_folders=False):
    """Bytes, how many names there are here, and how many everywhere, by inode. A directory has its one name."""
    found = {}
    walk = Walk(tree)
    try:
        for _, entries in folders_of(walk, lambda: None):
            if with_folders:
                status = os.fstat(walk.folder)
                found[status.st_ino] = (status.st_blocks * 512, 1, 1)
            for _, status in entries:
                if not modes.S_ISDIR(status.st_mode):
                    names = found[status.st_ino][1] if status.st_ino in found else 0
                    found[status.st_ino] = (status.st_blocks * 512, names + 1, status.st_nlink)
    finally:
        walk.close()
    return found
