"""Reads secrets at the moment they are needed: from a file, or from what systemd hands to the service."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.language import say

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


def reveal(secret: Secret, key: str, environment: Mapping[str, str] | None = None) -> str:
    """Return what the secret says, without the line end. Raises SecretError; `key`: where it is named."""
    if secret.inline is not None:
        return secret.inline
    path = secret.file
    if path is None:
        env = os.environ if environment is None else environment
        folder = env.get("CREDENTIALS_DIRECTORY")
        if not folder:
            zh = (
                f"{key}：凭据 {secret.credential}：没有 $CREDENTIALS_DIRECTORY；"
                "systemd 把单元里 LoadCredential= 所列的放在那里。不用 systemd 时请写 {file: 路径}"
            )
            en = (
                f"{key}: credential {secret.credential}: $CREDENTIALS_DIRECTORY is not set; it is where "
                "systemd puts what LoadCredential= names in the unit. Without systemd give {file: PATH}"
            )
            raise SecretError(say(zh, en))
        path = Path(folder, str(secret.credential))
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise SecretError(f"{key}: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretError(f"{key}: {path}: " + say("不是 UTF-8 文本", "is no text in UTF-8")) from None
    if not text:
        raise SecretError(f"{key}: {path}: " + say("文件是空的", "the file is empty"))
    return text
