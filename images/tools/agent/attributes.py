"""Extended attributes and access control lists: carried where the file system and our rights allow it, else counted.

What a label of a security module says is for that module to decide anew, here and wherever the file goes.
"""

import errno
import os
import stat as modes

# The user of every workspace.
USER = 1000
# Everybody may make something there, and remove only what is theirs.
_FOR_ALL = modes.S_ISVTX | modes.S_IWOTH

CAPABILITY = "security.capability"
ACCESS_LIST = "system.posix_acl_access"
DEFAULT_LIST = "system.posix_acl_default"
_LABELS = ("security.selinux", "security.ima", "security.evm", "security.apparmor", "security.SMACK64")
_HARMLESS = ("user.", "system.posix_acl_")
# As Linux has it for one, and for all of a file.
MAX_VALUE = 64 * 1024
MAX_VALUES = 128 * 1024
SET_ID_LOSS = "set-user-ID and set-group-ID bits"
_NONE_HERE = (errno.EOPNOTSUPP, errno.ENOSYS)
_GONE = (errno.ENODATA, errno.ENOENT)
_REFUSED = (errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSPC, errno.E2BIG, errno.ERANGE)


def names_of(file):
    """The names at an open file; labels are left out."""
    try:
        names = os.listxattr(file)
    except OSError as error:
        if error.errno in _NONE_HERE:
            return []
        raise
    return [name for name in names if not name.startswith(_LABELS)] if names else names


def read(file):
    """Name to value."""
    found = {}
    for name in names_of(file):
        try:
            found[name] = os.getxattr(file, name)
        except OSError as error:
            if error.errno not in _GONE:
                raise
    return found


def write(file, attributes):
    """Gives an open file just these; answers the names that it can't have."""
    for name in names_of(file):
        if name not in attributes and name in (ACCESS_LIST, DEFAULT_LIST):
            os.removexattr(file, name)
    refused = []
    for name, value in attributes.items():
        if name.startswith(_LABELS):
            continue
        try:
            os.setxattr(file, name, value)
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            refused.append(name)
    return refused


def owner_in(directory):
    """User and group of what is made in an open folder: those of the folder.

    In one of root's that is for all, as /tmp, the workspace's user: what root has there nobody else could remove.
    As src/backend/files/owners.ts has it.
    """
    status = os.stat(".", dir_fd=directory)
    if status.st_uid == 0 and status.st_mode & _FOR_ALL == _FOR_ALL:
        return USER, USER
    return status.st_uid, status.st_gid


def give(file, uid, gid):
    """Makes an open file somebody's. Who may not give files away keeps them, as with cp."""
    try:
        os.fchown(file, uid, gid)
    except PermissionError:
        _unless_root()


def give_name(name, uid, gid, directory):
    try:
        os.chown(name, uid, gid, dir_fd=directory, follow_symlinks=False)
    except PermissionError:
        _unless_root()


def _unless_root():
    """Of a change of owner that was refused: raises it again for root, who is refused nothing without a reason."""
    if os.geteuid() == 0:
        raise


def without_labels(attributes):
    return {name: value for name, value in attributes.items() if not name.startswith(_LABELS)}


def without_rights(attributes):
    """What gives a file no rights of its own, and the names of the rest."""
    kept = {name: value for name, value in attributes.items() if name.startswith(_HARMLESS)}
    return kept, [name for name in attributes if name not in kept and not name.startswith(_LABELS)]


class Losses:
    """What of files could not be kept: how often, and where first, by reason."""

    def __init__(self):
        self._found = {}

    def add(self, reason, path):
        count, first = self._found.get(reason, (0, path))
        self._found[reason] = (count + 1, first)

    def attributes(self, names, path):
        if names:
            kinds = sorted({kind_of(name) for name in names})
            for kind in kinds:
                self.add(kind, path)

    def rows(self, to_wire):
        return [[reason, count, to_wire(first)] for reason, (count, first) in self._found.items()]


def kind_of(name):
    """What people know an attribute by."""
    if name in (ACCESS_LIST, DEFAULT_LIST):
        return "access control lists"
    if name == CAPABILITY:
        return "file capabilities"
    return "extended attributes " + name.split(".", 1)[0] + ".*"
