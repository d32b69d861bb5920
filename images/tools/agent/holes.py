"""Where a file has data, and where it has none and reads as zeros."""

import errno
import os


def data_ranges(file, size):
    """(from, to) of what is not a hole, in order; all of it where the file system can't tell."""
    at = 0
    while at < size:
        try:
            start = os.lseek(file, at, os.SEEK_DATA)
            if start >= size:
                return
            end = min(size, os.lseek(file, start, os.SEEK_HOLE))
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            start, end = at, size
        if end <= start:
            return  # shorter than it was
        yield start, end
        at = end


def has_holes(status):
    """Fewer blocks than bytes: it is worth a look."""
    return status.st_blocks * 512 < status.st_size
