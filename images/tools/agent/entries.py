"""What is at a path, and the contents of a folder."""

import bisect
import contextlib
import os
import stat as modes

from errors import AgentError
from names import TEMP, from_wire, is_ours, split, to_wire
from places import READ_DIRECTORY, unlocked

FILE, DIRECTORY, SYMLINK, OTHER = range(4)
LOST_FOUND = "lost+found"


_KINDS = {modes.S_IFREG: FILE, modes.S_IFDIR: DIRECTORY, modes.S_IFLNK: SYMLINK}


def kind(mode):
    return _KINDS.get(mode & 0o170000, OTHER)


def _row(name, type_, status):
    return [
        to_wire(name),
        type_,
        status.st_size,
        status.st_mode & 0o7777,
        status.st_uid,
        status.st_gid,
        status.st_mtime_ns // 1000,
        status.st_ctime_ns // 1000,
    ]


def _link_row(volume, parts, name, status, target):
    """A link shows what it leads to: the numbers of its target, when that is in the volume."""
    try:
        with volume.find(parts) as place:
            if place.missing:
                where = "missing"
            else:
                where = ("file", "directory", "other", "other")[kind(place.stat.st_mode)]
                status = place.stat
    except AgentError as error:
        where = "outside" if error.code == "path_escapes" else "missing"
    except OSError:
        where = "missing"
    return [*_row(name, SYMLINK, status), where, to_wire(target)]


def entry(volume, place):
    """The row of a place, itself not followed.

    Name, type, size, mode, uid, gid, mtime and ctime in microseconds; of links also what they lead to and their text.
    """
    status = place.stat
    type_ = kind(status.st_mode)
    name = place.path.rsplit("/", 1)[1]
    if type_ != SYMLINK:
        return _row(name, type_, status)
    parts = [part for part in place.path.split("/") if part]
    return _link_row(volume, parts, name, status, os.readlink(place.name, dir_fd=place.directory))


def stat(volume, request, _payload, _job):
    with volume.existing(split(request["path"]), follow=False) as place:
        return {"entry": entry(volume, place), "real": to_wire(place.path)}


def real(volume, request, _payload, _job):
    """The path without links, the last one kept as it is."""
    with volume.existing(split(request["path"]), follow=False) as place:
        return {"real": to_wire(place.path), "directory": place.is_directory}


def list_folder(volume, request, _payload, _job):
    parts = split(request["path"])
    with volume.existing(parts) as place:
        if not place.is_directory:
            raise AgentError("not_a_directory")
        folder = os.open(place.name, READ_DIRECTORY, dir_fd=place.directory)
        real_parts = [part for part in place.path.split("/") if part]
    try:
        return _page(volume, folder, real_parts, request.get("limit"), request.get("cursor"))
    finally:
        os.close(folder)


def is_unused(root, lost_found):
    """What mke2fs puts into every file system, and nobody has asked for: not shown while there is nothing in it."""
    if not lost_found.is_dir(follow_symlinks=False) or lost_found.stat(follow_symlinks=False).st_uid != 0:
        return False
    try:
        inside = os.open(LOST_FOUND, READ_DIRECTORY, dir_fd=root)
    except OSError:
        return False
    try:
        with os.scandir(inside) as entries:
            return next(entries, None) is None
    finally:
        os.close(inside)


def give_new(root, user):
    """As a volume is the user's to write when it is mounted new, it must be when files come into it before that."""
    status = os.stat(root)
    if (status.st_uid, status.st_gid) != (0, 0):
        return
    with os.scandir(root) as found:
        if all(is_ours(item.name) for item in found):
            os.chown(root, user, user)


def _page(volume, folder, parts, limit, cursor):
    with os.scandir(folder) as entries:
        found = {item.name: item for item in entries}
    for name in [name for name in found if is_ours(name)]:
        del found[name]
        _tidy(name, folder)
    if not parts and LOST_FOUND in found and is_unused(folder, found[LOST_FOUND]):
        del found[LOST_FOUND]
    names = sorted(found)
    start = 0 if cursor is None else bisect.bisect_right(names, from_wire(cursor))
    end = len(names) if limit is None else min(len(names), start + limit)
    page = [found[name] for name in names[start:end]]
    reply = {"entries": _rows(volume, folder, parts, page), "total": len(names)}
    if end < len(names):
        reply["next"] = to_wire(names[end - 1])
    return reply


def _tidy(name, folder):
    """The file of a save that was cut off."""
    if is_ours(name, TEMP):
        with unlocked(name, folder) as file, contextlib.suppress(OSError):
            if file is not None:
                os.unlink(name, dir_fd=folder)


def _rows(volume, folder, parts, page):
    rows = []
    append = rows.append
    for item in page:
        try:
            status = item.stat(follow_symlinks=False)
            type_ = kind(status.st_mode)
            if type_ == SYMLINK:
                target = os.readlink(item.name, dir_fd=folder)
                append(_link_row(volume, [*parts, item.name], item.name, status, target))
            else:
                append(_row(item.name, type_, status))
        except FileNotFoundError:
            continue  # gone since the folder was read
        except OSError:
            append(_unread_row(item))
    return rows


def _unread_row(item):
    """Of a mount whose server is gone, for example: what the folder around it says of it."""
    try:
        type_ = DIRECTORY if item.is_dir(follow_symlinks=False) else OTHER
    except OSError:
        type_ = OTHER
    return [to_wire(item.name), type_, 0, 0, 0, 0, 0, 0]
