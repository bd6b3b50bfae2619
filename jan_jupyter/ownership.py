"""Whose a file is: what is run, and what names it, belongs to the user alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path


def why_not_ours(path: Path) -> str:
    """Why others than the user and root may change a file, in words; empty if they may not.

    Looks at what links lead to, at the links themselves, and at the folders above. On Windows,
    where the folders of a user are closed to others, everything counts as ours.
    """
    if not hasattr(os, "getuid"):
        return ""
    try:
        real = Path(os.path.realpath(path, strict=True))
        if link := foreign_link(path):
            return f"{link} is a link of another user"
        for part in (real, real.parent):
            status = part.stat()
            if status.st_uid not in (0, os.getuid()):
                return f"{part} belongs to another user"
            if status.st_mode & 0o020 and not (_is_sticky(status) or _is_private(status.st_gid)):
                return f"its group may change {part} (`chmod g-w` mends that)"
        for part in (real, *real.parents):
            status = part.stat()
            if status.st_mode & 0o002 and not _is_sticky(status):
                return f"everybody may change {part} (`chmod o-w` mends that)"
    except OSError as error:
        return f"{path} cannot be looked at ({error.strerror or error})"
    return ""


def foreign_link(path: Path) -> Path | None:
    """A link of another user (not root) on the way to `path`, which that user may turn elsewhere.

    Raises `OSError` for a path that does not exist.
    """
    if not hasattr(os, "getuid"):
        return None
    os.path.realpath(path, strict=True)  # a loop is an error here, and has no end below
    trusted = (0, os.getuid())
    return next((link for link in _links(path) if link.lstat().st_uid not in trusted), None)


def _links(path: Path) -> Iterator[Path]:
    """The links that a path leads through, also those that links lead to."""
    path = path.absolute()
    for part in (*reversed(path.parents), path):
        if part.is_symlink():
            yield part
            yield from _links(part.parent / part.readlink())


def _is_sticky(status: os.stat_result) -> bool:
    """Whether it is a folder in which nobody can replace what is another's."""
    return stat.S_ISDIR(status.st_mode) and bool(status.st_mode & stat.S_ISVTX)


def _is_private(group: int) -> bool:
    """Whether a group is root's, or the user's own with nobody else in it, as many systems have."""
    if group == 0:
        return True
    if group != os.getgid():
        return False
    import grp
    import pwd

    try:
        entry, user = grp.getgrgid(group), pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return entry.gr_name == user.pw_name and {*entry.gr_mem} <= {user.pw_name}
