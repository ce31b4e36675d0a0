"""Text of users, and of refusals, in sentences that Streamlit reads as Markdown."""

from __future__ import annotations

import re

_FOLDERS = re.compile(r"(?<![\w./~])(?:~|/)(?:[^/\s'\"]*/)+(?=[^/\s'\"])")  # before the name of a file


def without_folders(text: str) -> str:
    """A sentence without the folders of this machine, which are nobody's business: files are named alone.

    >>> without_folders("/home/me/nets/a.pt is empty, and ~/b.csv as well; 3/4 of cifar/train is read.")
    'a.pt is empty, and b.csv as well; 3/4 of cifar/train is read.'
    """
    return _FOLDERS.sub("", text)


def public(text: str) -> str:
    """A refusal or a note as pages show it: without folders, and as it stands.

    >>> public("/home/me/a_b.pt is empty.")
    'a\\\\_b.pt is empty.'
    """
    return plain(without_folders(text))


def plain(text: str) -> str:
    r"""Text that Markdown shows as it stands.

    >>> plain("a_b [x](y) :red[z]")
    'a\\_b \\[x\\]\\(y\\) \\:red\\[z\\]'
    """
    return re.sub(r"([\\`*_{}\[\]()#+!|~$:<>])", r"\\\1", text)
