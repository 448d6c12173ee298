"""CRC32C and MD5, as Cloud Storage writes them.

CRC32C is in no module of Python. Where ISA-L's library is installed, it is taken from there; else it is computed here, at some
100 MB/s where a table of bytes does 10: a whole block is one number, and a polynomial modulo 2: x^6777 = x^484 + x^100 + 1 modulo CRC32C's polynomial, and as squaring is linear over
GF(2), so it is for all three exponents doubled, as often as one likes. Each such step takes nine tenths off a
number's length for three shifts, at the speed of memory.
"""

import base64
import ctypes
import hashlib

POLYNOMIAL = 0x11EDC6F41


def _table_entry(byte):
    """The remainder of byte * x^32."""
    value = byte << 32
    for position in range(39, 31, -1):
        if value >> position & 1:
            value ^= POLYNOMIAL << (position - 32)
    return value


REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
TABLE = [_table_entry(byte) for byte in range(256)]
STEPS = [(6777 << k, 484 << k, 100 << k) for k in range(16)]
BLOCK = 1 << 20


def _reflected(value):
    return int(f"{value:032b}"[::-1], 2)


def _remainder(number):
    for high, middle, low in reversed(STEPS):
        while number.bit_length() > high:
            top = number >> high
            number = (number & ((1 << high) - 1)) ^ top ^ (top << middle) ^ (top << low)
    rest = 0
    for byte in number.to_bytes((number.bit_length() + 7) // 8, "big"):
        rest = ((rest << 8 | byte) & 0xFFFFFFFF) ^ TABLE[rest >> 24]
    return rest


def _extended(register, data):
    """The register of the checksum, not inverted, after these bytes."""
    size = 8 * len(data)
    number = int.from_bytes(data.translate(REVERSED_BITS), "big") << 32
    return _reflected(_remainder(number ^ (_reflected(register) << size)))


def _library():
    try:
        function = ctypes.CDLL("libisal.so.2").crc32_iscsi
    except (OSError, AttributeError):
        return None
    function.argtypes, function.restype = [ctypes.c_char_p, ctypes.c_int, ctypes.c_uint], ctypes.c_uint
    return function


FAST = _library()


def crc32c(data, before=0):
    """The CRC32C of what has the checksum `before` with `data` after it."""
    if FAST is None:
        return computed_crc32c(data, before)
    register = before ^ 0xFFFFFFFF
    for start in range(0, len(data), 1 << 30):
        piece = bytes(data[start:start + (1 << 30)])
        register = FAST(piece, len(piece), register)
    return register ^ 0xFFFFFFFF


def computed_crc32c(data, before=0):
    """The same without any help."""
    register = before ^ 0xFFFFFFFF
    for start in range(0, len(data), BLOCK):
        register = _extended(register, bytes(data[start:start + BLOCK]))
    return register ^ 0xFFFFFFFF


def base64_of_crc32c(value):
    return base64.b64encode(value.to_bytes(4, "big")).decode()


class Checksums:
    """Both of them, over bytes that come in pieces."""

    def __init__(self):
        self.crc, self._md5 = 0, hashlib.md5()

    def add(self, data):
        self.crc = crc32c(data, self.crc)
        self._md5.update(data)

    @property
    def crc32c(self):
        return base64_of_crc32c(self.crc)

    @property
    def md5(self):
        return base64.b64encode(self._md5.digest()).decode()
