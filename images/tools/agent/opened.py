"""Folders that let their owner not in, which an ordinary user's agent opens for a moment."""

import os
import stat as modes

from errors import AgentError
from places import OPENED, rename_new


def is_closed(status):
    """A folder of our own that does not let us do everything in it."""
    return modes.S_ISDIR(status.st_mode) and status.st_mode & 0o700 != 0o700 and status.st_uid == os.geteuid()


def let_in(name, directory):
    """Lets an ordinary user into a folder of its own, whatever its mode; answers the mode that it had when it has changed."""
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if not is_closed(status):
        return None
    set_mode(name, directory, OPENED)
    return modes.S_IMODE(status.st_mode)


def set_mode(name, directory, mode):
    """Of what is there, which is no link."""
    file = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        if modes.S_ISLNK(os.fstat(file).st_mode):
            raise AgentError("path_not_found", "it became a link")
        # By the descriptor: the name may mean something else by now.
        os.chmod(f"/proc/self/fd/{file}", mode)
    finally:
        os.close(file)


def put(name, source, new_name, target, noted):
    """Renames to a free name. Who may not write into a folder may not rename it either, as its `..` changes.

    `noted(status)`: what has the folder get its mode again, also when we are ended in between.
    """
    try:
        rename_new(name, source, new_name, target)
        return
    except PermissionError:
        status = os.stat(name, dir_fd=source, follow_symlinks=False)
        if not is_closed(status):
            raise
    with noted(status):
        mode = let_in(name, source)
        try:
            rename_new(name, source, new_name, target)
        except OSError:
            set_mode(name, source, mode)
            raise
        set_mode(new_name, target, mode)
