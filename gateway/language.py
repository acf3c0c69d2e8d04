"""Which of the two languages a person reads. Every text people see is given in both, side by side."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def language(environment: Mapping[str, str] | None = None) -> str:
    """Return "zh" or "en": TOCSIN_LANG if set, else what the locale says (POSIX order)."""
    env = os.environ if environment is None else environment
    for name in ("TOCSIN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        chosen = env.get(name, "")
        if chosen:
            return "zh" if chosen.lower().startswith("zh") else "en"
    return "en"


def say(zh: str, en: str) -> str:
    """Return the text in the reader's language."""
    return zh if language() == "zh" else en


def pick(text: Mapping[str, str]) -> str:
    """Return the reader's language of a bilingual text, or whichever there is."""
    return text.get(language()) or next(iter(text.values()), "")
