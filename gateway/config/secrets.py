"""Reads secrets at the moment they are needed: from a file, or from what systemd hands to the service."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is kept. What it says is read when it is needed: `gateway.config.secrets.reveal`."""

    file: Path | None = None
    credential: str | None = None  # systemd LoadCredential
    inline: str | None = field(default=None, repr=False)  # only in a demo


class SecretError(Exception):
    """A secret cannot be read. The message says which and why, never what it is."""


def reveal(secret: Secret, environment: Mapping[str, str] | None = None) -> str:
    """Return what the secret says, without the line end. Raises SecretError."""
    if secret.inline is not None:
        return secret.inline
    path = secret.file
    if path is None:
        env = os.environ if environment is None else environment
        folder = env.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise SecretError(
                f"credential {secret.credential}: $CREDENTIALS_DIRECTORY is not set; it is where systemd "
                "puts what LoadCredential= names in the unit. Without systemd give {file: PATH} instead"
            )
        path = Path(folder, str(secret.credential))
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"secret {path}: {error}") from None
    if not text:
        raise SecretError(f"secret {path}: the file is empty")
    return text
