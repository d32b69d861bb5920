"""Files whose size says nothing of their content, as those of /proc and /sys: it is known when they have been read."""

import os

from errors import AgentError
from mounts import kernel_devices

MAX_CONTENT = 16 * 1024 * 1024
# More than any file has: what says 0 of itself is read until its end.
ANY_SIZE = 1 << 50
# The kernel takes memory for as much as is asked for.
_PIECE = 512 * 1024


def read_fully(file, length, at):
    """Fewer bytes than asked for only at the end: what the kernel makes up comes in small pieces."""
    parts = []
    while length > 0 and (part := os.pread(file, min(length, _PIECE), at)):
        parts.append(part)
        at += len(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class Unsized:
    def __init__(self):
        self._made_up = kernel_devices()

    def content(self, file, status):
        """All that an open file has; None where its size can be relied on."""
        if status.st_size > 0 and status.st_dev not in self._made_up:
            return None
        content = read_fully(file, MAX_CONTENT + 1, 0)
        if len(content) > MAX_CONTENT:
            raise AgentError("too_large", "its size is not known, and it has more than 16 MiB")
        return content
