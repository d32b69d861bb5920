"""Puts a whole tree in the place of all that is in a volume: in no state in between for longer than some renames take.

The new tree is made in a stage, a folder of the volume's root that is removed when nobody holds it. With a plan in it,
and under another name, it is what a swap is done from: that name is never removed, but finished by whoever opens the
volume next, after a crash in the middle.
"""

import contextlib
import json
import os
import stat as modes

import attributes
import durable
from errors import AgentError
from names import STAGE, SWAP, is_ours, own_name
from places import READ_DIRECTORY, lstat, unlocked

NEW = "new"
OLD = "old"
PLAN = "plan"
# Of the names in the root of a volume.
MAX_PLAN = 64 * 1024 * 1024


def prepare(folder):
    """`folder` is open for reading, a stage with the tree in `new`. All of it is on the disk then."""
    os.mkdir(OLD, 0o700, dir_fd=folder)
    _sync(folder)


def begin(root, stage, folder):
    """`stage`: name of the stage. From here on the swap is done, whatever happens. Answers its name from now on."""
    new = os.open(NEW, READ_DIRECTORY, dir_fd=folder)
    try:
        plan = {"old": _names(root), "new": os.listdir(new), "root": facts_of(new)}
    finally:
        os.close(new)
    file = os.open(PLAN, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    with os.fdopen(file, "w") as writer:
        json.dump(plan, writer)
        writer.flush()
        os.fsync(writer.fileno())
    durable.sync_folder(folder)
    name = own_name(SWAP)
    os.rename(stage, name, src_dir_fd=root, dst_dir_fd=root)
    durable.sync_folder(root)
    return name


def finish(root, name, folder):
    """Succeeds as often as it is called. Afterwards there is a stage, whose name is answered, with what was there before."""
    plan = _plan(folder)
    new = os.open(NEW, READ_DIRECTORY, dir_fd=folder)
    old = os.open(OLD, READ_DIRECTORY, dir_fd=folder)
    try:
        for entry in plan["old"]:
            # What has left already may have its successor in its place.
            if lstat(entry, old) is None and lstat(entry, root) is not None:
                os.rename(entry, entry, src_dir_fd=root, dst_dir_fd=old)
        for entry in plan["new"]:
            if lstat(entry, new) is not None:
                _set_aside(root, entry, old)
                os.rename(entry, entry, src_dir_fd=new, dst_dir_fd=root)
        dress(root, plan["root"], new)
    finally:
        os.close(new)
        os.close(old)
    durable.sync_folder(root)
    stage = own_name(STAGE)
    os.rename(name, stage, src_dir_fd=root, dst_dir_fd=root)
    durable.sync_folder(root)
    return stage


def sweep(root):
    """Finishes what a dead one has begun; answers how many. What somebody has put there that looks like one stays."""
    done = 0
    for name in [name for name in os.listdir(root) if is_ours(name, SWAP)]:
        with unlocked(name, root) as folder:
            if folder is not None and _is_own(folder):
                with contextlib.suppress(AgentError, ValueError, TypeError, KeyError):
                    finish(root, name, folder)
                    done += 1
    return done


def is_under_way(root):
    """Whether somebody else is in the middle of one."""
    for name in [name for name in os.listdir(root) if is_ours(name, SWAP)]:
        with unlocked(name, root) as folder:
            if folder is None and lstat(name, root) is not None:
                return True
    return False


def _is_own(folder):
    """Whoever may write to the volume can make a folder of that name, but none of ours."""
    status = os.fstat(folder)
    return status.st_uid == os.geteuid() and status.st_mode & 0o7777 == 0o700


def _plan(folder):
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(PLAN, flags, dir_fd=folder)) as file:
        status = os.fstat(file.fileno())
        if not modes.S_ISREG(status.st_mode) or status.st_size > MAX_PLAN:
            raise AgentError("bad_request", "no plan of a swap")
        plan = json.load(file)
    for name in (*plan["old"], *plan["new"]):
        if not name or name in (".", "..") or "/" in name or "\0" in name:
            raise AgentError("bad_request", "no name of a file")
    return plan


def _sync(folder):
    if not durable.sync_file_system(folder):
        os.sync()


def _set_aside(root, entry, old):
    """Somebody has made one of that name in the meantime: it goes with what was there before."""
    if lstat(entry, root) is not None:
        os.rename(entry, own_name(entry[:200] + "-"), src_dir_fd=root, dst_dir_fd=old)


def _names(root):
    return [name for name in os.listdir(root) if not is_ours(name)]


def facts_of(folder):
    """Owner, mode and times of an open folder, to be given to a volume's root by `dress`."""
    status = os.fstat(folder)
    return [status.st_uid, status.st_gid, status.st_mode & 0o7777, status.st_atime_ns, status.st_mtime_ns]


def dress(root, facts, new):
    """The root of a volume gets these facts, and the attributes of the folder `new`."""
    uid, gid, mode, accessed, modified = facts
    folder = os.open(".", READ_DIRECTORY, dir_fd=root)
    try:
        attributes.give(folder, uid, gid)
        wanted = attributes.read(new)
        for name in attributes.names_of(folder):
            if name not in wanted:
                os.removexattr(folder, name)
        attributes.write(folder, wanted)
        os.fchmod(folder, mode)
        os.utime(folder, ns=(accessed, modified))
    finally:
        os.close(folder)
