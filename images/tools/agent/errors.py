"""Errors as the engine knows them: a code of src/api/errors.ts, the path as it was asked for, a detail."""

import errno

CODES = {
    errno.ENOENT: "path_not_found",
    errno.ESTALE: "path_not_found",
    errno.ELOOP: "path_not_found",
    errno.EEXIST: "path_exists",
    errno.ENOTDIR: "not_a_directory",
    errno.EISDIR: "is_a_directory",
    errno.ENOTEMPTY: "directory_not_empty",
    errno.EROFS: "read_only",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "no_space",
    errno.EFBIG: "too_large",
    errno.EINVAL: "bad_request",
    errno.EXDEV: "not_supported",
    errno.EBUSY: "in_use",
    errno.ETXTBSY: "in_use",
    errno.EMFILE: "capacity",
    errno.ENFILE: "capacity",
    errno.ENOMEM: "capacity",
}


class AgentError(Exception):
    def __init__(self, code, detail=None, path=None):
        super().__init__(code, detail, path)
        self.code = code
        self.detail = detail
        self.path = path

    def reply(self, path):
        return {"code": self.code, "detail": self.detail, "path": self.path or path}


# What is wrong with one thing of a tree, as a rule.
ONE_OF_MANY = (OSError, RecursionError)
# After them the rest would not arrive either.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Cancelled(AgentError):
    def __init__(self):
        super().__init__("cancelled")


def as_agent_error(error):
    """Any exception as an AgentError; unknown ones become `internal` and say what they were."""
    if isinstance(error, AgentError):
        return error
    if isinstance(error, RecursionError):
        return AgentError("capacity", "its folders are too deep")
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        # Folders are entered one by one: no whole path is ever handed to the kernel.
        return AgentError("bad_request", "a name in it is too long")
    if isinstance(error, OSError) and error.errno is not None:
        code = CODES.get(error.errno, "internal")
        return AgentError(code, f"{errno.errorcode.get(error.errno, error.errno)}: {error.strerror}")
    return AgentError("internal", f"{type(error).__name__}: {error}")
