"""Text of users in sentences that Streamlit reads as Markdown."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    r"""Text that Markdown shows as it stands.

    >>> plain("a_b [x](y) :red[z]")
    'a\\_b \\[x\\]\\(y\\) \\:red\\[z\\]'
    """
    return re.sub(r"([\\`*_{}\[\]()#+!|~$:<>])", r"\\\1", text)
