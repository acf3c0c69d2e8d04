"""Ed25519 signatures after RFC 8032, in plain Python: for some exports a day. Pure.

Checked against the vectors of RFC 8032, 7.1. Not constant in time: whoever can time the signing of an export
on this board can read its key file as well.
"""

from __future__ import annotations

from hashlib import sha512

Point = tuple[int, int, int, int]
"""(X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z: section 5.1.4."""

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # of -1
ZERO: Point = (0, 1, 1, 0)
SIZE = 32  # bytes of a secret, and of a public key


def public_key(secret: bytes) -> bytes:
    """Return the public key of 32 secret bytes (5.1.5)."""
    return _packed(_times(_scalar(secret), BASE))


def sign(secret: bytes, message: bytes) -> bytes:
    """Return the signature, 64 bytes (5.1.6)."""
    a, prefix = _scalar(secret), sha512(secret).digest()[SIZE:]
    key = _packed(_times(a, BASE))
    r = _number(prefix + message)
    big_r = _packed(_times(r, BASE))
    s = (r + _number(big_r + key + message) * a) % ORDER
    return big_r + s.to_bytes(SIZE, "little")


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether the signature is of this message, by the owner of the key (5.1.7)."""
    if len(key) != SIZE or len(signature) != 2 * SIZE:
        return False
    a, r = _unpacked(key), _unpacked(signature[:SIZE])
    s = int.from_bytes(signature[SIZE:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    h = _number(signature[:SIZE] + key + message)
    return _same(_times(s, BASE), _plus(r, _times(h, a)))


def _scalar(secret: bytes) -> int:
    if len(secret) != SIZE:
        raise ValueError(f"a secret has {SIZE} bytes, not {len(secret)}")
    a = int.from_bytes(sha512(secret).digest()[:SIZE], "little")
    return a & ~7 & (1 << 254) - 1 | 1 << 254


def _number(data: bytes) -> int:
    return int.from_bytes(sha512(data).digest(), "little") % ORDER


def _plus(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(n: int, p: Point) -> Point:
    q = ZERO
    while n:
        if n & 1:
            q = _plus(q, p)
        p, n = _plus(p, p), n >> 1
    return q


def _same(p: Point, q: Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def _packed(p: Point) -> bytes:
    inverse = pow(p[2], -1, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(SIZE, "little")


def _unpacked(data: bytes) -> Point | None:
    """Return the point (5.1.3); None when there is none."""
    number = int.from_bytes(data, "little")
    y, sign_of_x = number & (1 << 255) - 1, number >> 255
    x = _x_of(y)
    if y >= P or x is None or (x == 0 and sign_of_x):
        return None
    x = P - x if x & 1 != sign_of_x else x
    return x, y, 1, x * y % P


def _x_of(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT % P
    return x if x * x % P == square else None


def _base() -> Point:
    y = 4 * pow(5, -1, P) % P
    x = _x_of(y)
    assert x is not None
    x = x if x & 1 == 0 else P - x
    return x, y, 1, x * y % P


BASE = _base()
