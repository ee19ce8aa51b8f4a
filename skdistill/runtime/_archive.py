"""The zip archive that a model is written to: three members, and nothing else.

The standard library's zipfile takes longer to import than a model to load, and accepts
archives of many more forms. What is read here is a part of what it writes.
"""

import struct
import zlib

try:  # hashlib loads OpenSSL, which takes longer than reading a model does
    from _sha2 import sha256
except ImportError:  # before Python 3.12
    try:
        from _sha256 import sha256
    except ImportError:
        from hashlib import sha256

NAMES = ("header.json", "arrays.bin", "sha256sums")
"""Members of an archive, in order."""

LARGEST_FILE = 2**31 - 1
"""Bytes of the largest file. Beyond 4 GB a zip archive has another form."""

LARGEST_RATIO = 8
"""An archive's members are at most this many times larger than the archive."""

LARGEST_HEADER_RATIO = 2
"""The header is at most this many times larger than the archive: once it is parsed it
takes many times as much memory as its text."""

SAVING = 0.2
"""Part of a member's bytes that deflating must save to be worth the time to inflate."""

STORED, DEFLATED = 0, 8

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")

DATE = (1 << 5) + 1
"""First of January 1980: the same model gives the same bytes at any time."""

PERMISSIONS = 0o100644 << 16
MADE_ON_UNIX = 3 << 8
VERSION = 20
UTF8 = 1 << 11


def pack(header, arrays):
    """Return the bytes of an archive.

    Parameters
    ----------
    header, arrays : bytes
        Contents of the first two members.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If the archive would be larger than `LARGEST_FILE`.
    """
    contents = (header, arrays, _sums(header, arrays))
    total = sum(map(len, contents))
    if total > LARGEST_FILE // 2:
        raise ValueError(
            f"Got a model of {total} bytes, but expected at most {LARGEST_FILE // 2}."
        )
    archive = _join(contents, [_deflate(content) for content in contents])
    # What compresses too well to be trusted by a reader is stored.
    for stored in ({"arrays.bin"}, set(NAMES)):
        if _is_trusted(total, len(header), len(archive)):
            break
        kept = [
            None if name in stored else _deflate(content)
            for name, content in zip(NAMES, contents, strict=True)
        ]
        archive = _join(contents, kept)
    return archive


def unpack(archive):
    """Return the contents of the first two members of an archive.

    Parameters
    ----------
    archive : bytes
        What `pack` returned, or an archive of that form made by other software.

    Returns
    -------
    header, arrays : bytes

    Raises
    ------
    ValueError
        If the archive is not of that form, its members would be larger than
        `LARGEST_RATIO` times the archive, or a checksum is wrong.
    """
    members = _directory(archive)
    total = sum(size for *_, size in members)
    header_size = members[0][-1]
    if not _is_trusted(total, header_size, len(archive)):
        raise ValueError(
            f"Got members of {total} bytes, {header_size} of them the header, in a "
            f"file of {len(archive)}, but expected at most {LARGEST_RATIO} times as "
            f"many, {LARGEST_HEADER_RATIO} times for the header."
        )
    header, arrays, sums = (
        _content(archive, *member) for member in zip(NAMES, members, strict=True)
    )
    if sums != _sums(header, arrays):
        raise ValueError("Got a file whose sha256sums are not those of its contents.")
    return header, arrays


def _sums(header, arrays):
    """Checksums in the form that the program sha256sum takes."""
    lines = [
        f"{sha256(content).hexdigest()}  {name}\n"
        for name, content in zip(NAMES, (header, arrays), strict=False)
    ]
    return "".join(lines).encode()


def _is_trusted(total, header, archive):
    """Whether members are so large that an archive of its size may well hold them."""
    return total <= LARGEST_RATIO * archive and header <= LARGEST_HEADER_RATIO * archive


def _deflate(content):
    """Return deflated bytes, None if they are not worth it."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = deflater.compress(content) + deflater.flush()
    return deflated if len(deflated) <= (1 - SAVING) * len(content) else None


def _join(contents, deflated):
    parts, directory, offset = [], [], 0
    for name, content, smaller in zip(NAMES, contents, deflated, strict=True):
        data = content if smaller is None else smaller
        fields = (VERSION, 0, STORED if smaller is None else DEFLATED, 0, DATE)
        sizes = (zlib.crc32(content), len(data), len(content), len(name), 0)
        head = LOCAL.pack(b"PK\3\4", *fields, *sizes)
        entry = CENTRAL.pack(
            b"PK\1\2",
            MADE_ON_UNIX + VERSION,
            *fields,
            *sizes,
            *(0, 0, 0, PERMISSIONS, offset),
        )
        parts += [head, name.encode(), data]
        directory += [entry, name.encode()]
        offset += len(head) + len(name) + len(data)
    listed = b"".join(directory)
    n = len(NAMES)
    end = END.pack(b"PK\5\6", 0, 0, n, n, len(listed), offset, 0)
    return b"".join([*parts, listed, end])


def _directory(archive):
    """Return (start, method, crc, packed size, size) of each member.

    Members lie one behind the other from the first byte of the archive to its
    directory, so that none overlaps another and nothing is hidden between them.
    """
    if len(archive) < END.size:
        raise ValueError(f"Got a file of {len(archive)} bytes, but expected a model.")
    n = len(NAMES)
    size = n * CENTRAL.size + sum(map(len, NAMES))
    at = len(archive) - END.size - size
    if at < 0 or END.unpack_from(archive, at + size) != (
        *(b"PK\5\6", 0, 0, n, n, size, at, 0),
    ):
        raise ValueError(
            f"Got a file that does not end as a zip archive of {n} members, but "
            "expected a model: it may be cut off."
        )
    directory, start, members = at, 0, []
    for name in NAMES:
        entry = CENTRAL.unpack_from(archive, at)
        at += CENTRAL.size + len(name)
        member = _member(archive, name, entry, archive[at - len(name) : at], start)
        members.append(member)
        start = member[0] + member[3]
    if start != directory:
        raise ValueError(
            f"Got members up to byte {start} of a zip archive, but expected its "
            f"directory there, which is at {directory}."
        )
    return members


def _member(archive, name, entry, listed, offset):
    signature, _, _, flags, method, _, _, crc, packed, size = entry[:10]
    encoded = name.encode()
    expected = (b"PK\1\2", encoded, len(name), 0, 0, 0, offset)
    found = (signature, listed, *entry[10:14], entry[16])
    if found != expected or flags & ~UTF8 or method not in (STORED, DEFLATED):
        raise ValueError(
            f"Got another entry than expected in the zip archive's directory: {name} "
            f"at byte {offset}, stored or deflated, without flags, extra fields, "
            "comments or encryption."
        )
    start = offset + LOCAL.size + len(name)
    # Version, time and date are no part of the contents.
    if start + packed > len(archive) or (
        archive[offset : offset + 4] != b"PK\3\4"
        or archive[start - len(name) : start] != encoded
        or LOCAL.unpack_from(archive, offset)[2:4] != (flags, method)
        or LOCAL.unpack_from(archive, offset)[6:] != (*entry[7:10], len(name), 0)
    ):
        raise ValueError(
            f"Got a zip archive in which {name} at byte {offset} is not what the "
            "directory says."
        )
    return start, method, crc, packed, size


def _content(archive, name, member):
    start, method, crc, packed, size = member
    content = archive[start : start + packed]
    if method == DEFLATED:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            # One byte more than there should be, to find the end of the stream.
            content = inflater.decompress(content, size + 1)
        except zlib.error as error:
            raise ValueError(f"Got {name} that cannot be inflated: {error}.") from error
        if not inflater.eof or inflater.unused_data:
            raise ValueError(f"Got {name} that does not end where it should.")
    if len(content) != size or zlib.crc32(content) != crc:
        raise ValueError(
            f"Got {name} of {len(content)} bytes with checksum "
            f"{zlib.crc32(content):08x}, but expected {size} bytes with {crc:08x}."
        )
    return content
