"""What PyMySQL reads from MariaDB, read with less work.

The server describes the columns of every answer anew, and PyMySQL takes each description apart: for a row with
fifty columns that is more work than the row. Here what descriptions say is remembered by their bytes, a row is
taken apart in one loop, and times are read by `datetime` itself. What is read is the same.
"""

import datetime
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pymysql import connections, converters, protocol

Convert = Callable[[bytes], object]
Conversion = tuple[str | None, Callable[[str | bytes], object] | None]
"""How PyMySQL reads a column: its encoding, and what makes a value of the text."""

MOST = 2000
"""Most answers whose columns are remembered; the statements of a service are fewer."""

_NULL, _TWO, _THREE, _EIGHT = 0xFB, 0xFC, 0xFD, 0xFE


class Columns(NamedTuple):
    """The columns of an answer.

    Attributes:
        described: the packets that describe them, as they come.
        description: what a cursor says of them.
    """

    described: bytes
    description: tuple[tuple[object, ...], ...]
    conversions: list[Conversion]
    converts: tuple[Convert, ...]


Key = tuple[str, bool, int, bytes]

_known: dict[Key, list[Columns]] = {}


def _remember(key: Key, columns: Columns) -> None:
    """Those that begin alike are few. A service that runs for long may meet many that do not come again."""
    if sum(map(len, _known.values())) >= MOST:
        _known.clear()
    _known.setdefault(key, []).append(columns)


def moment(data: bytes) -> object:
    """A time, as `converters.convert_datetime` has it."""
    text = data.decode('ascii')
    if len(text) in (19, 26):
        try:
            return datetime.datetime.fromisoformat(text)
        except ValueError:
            return converters.convert_datetime(text)
    return converters.convert_datetime(text)


def _text(data: bytes) -> object:
    return data.decode('utf-8')


def _convert(conversion: Conversion) -> Convert:
    """One function that reads a column."""
    encoding, function = conversion
    if function is int:
        return int
    if function is converters.convert_datetime:
        return moment
    if encoding is None:
        return bytes if function is None else function
    if function is None:
        return _text if encoding in ('utf8', 'utf-8') else lambda data: data.decode(encoding)
    return lambda data: function(data.decode(encoding))


def row(data: bytes, converts: Sequence[Convert]) -> tuple[object, ...]:
    """The values of a packet of one row: of each column its length and its text."""
    found: list[object] = []
    at, end = 0, len(data)
    for convert in converts:
        if at >= end:
            break
        size = data[at]
        at += 1
        if size == _NULL:
            found.append(None)
            continue
        if size > _NULL:
            more = {_TWO: 2, _THREE: 3, _EIGHT: 8}[size]
            size = int.from_bytes(data[at:at + more], 'little')
            at += more
        found.append(convert(data[at:at + size]))
        at += size
    return tuple(found)


class _Replay:
    """Packets that were read, for who reads packets of a connection."""

    def __init__(self, connection: 'Connection', packets: Sequence[protocol.MysqlPacket]) -> None:
        self.use_unicode, self.encoding = connection.use_unicode, connection.encoding
        self.decoders = connection.decoders
        self._packets = iter(packets)

    def _read_packet(self, kind: type[protocol.MysqlPacket] = protocol.MysqlPacket) -> protocol.MysqlPacket:
        return kind(next(self._packets).get_all_data(), self.encoding)


class Result(connections.MySQLResult):
    """An answer."""

    connection: 'Connection | _Replay | None'
    converters: list[Conversion]
    description: tuple[tuple[object, ...], ...]

    def _get_descriptions(self) -> None:
        connection, count = self.connection, self.field_count
        assert isinstance(connection, Connection)
        waiting = connection.waiting()
        first = waiting[:4 + int.from_bytes(waiting[:3], 'little')]
        key = (connection.encoding, connection.use_unicode, count, bytes(first))
        columns = next((one for one in _known.get(key, ()) if waiting.startswith(one.described)), None)
        if columns is not None:
            connection.skip(len(columns.described), count)
            connection._read_packet()
        else:
            columns = self._read_columns(connection)
            if columns.described.startswith(first):
                _remember(key, columns)
        self.description, self.converters = columns.description, columns.conversions
        self._converts = columns.converts

    def _read_columns(self, connection: 'Connection') -> Columns:
        """Read descriptions as PyMySQL does."""
        number = connection._next_seq_id
        packets = [connection._read_packet() for _ in range(self.field_count + 1)]
        described = b''.join(
            len(data).to_bytes(3, 'little') + bytes([(number + place) % 256]) + data
            for place, data in enumerate(packet.get_all_data() for packet in packets[:-1]))
        self.connection = _Replay(connection, packets)
        try:
            super()._get_descriptions()
        finally:
            self.connection = connection
        return Columns(described, self.description, self.converters, tuple(map(_convert, self.converters)))

    def _read_row_from_packet(self, packet: protocol.MysqlPacket) -> tuple[object, ...]:
        return row(packet.get_all_data(), self._converts)


class Connection(connections.Connection):
    """A connection whose answers are such."""

    _next_seq_id: int

    def waiting(self) -> bytes:
        """What has come and was not read yet; waits for some of it."""
        try:
            return bytes(self._rfile.peek())
        except OSError as error:
            self._force_close()
            raise connections.err.OperationalError(
                connections.CR.CR_SERVER_LOST,
                f'Lost connection to MySQL server during query ({error})') from error

    def skip(self, size: int, packets: int) -> None:
        """Read packets whose content is known."""
        self._read_bytes(size)
        self._next_seq_id = (self._next_seq_id + packets) % 256

    def _read_query_result(self, unbuffered: bool = False) -> int:
        if unbuffered:
            return super()._read_query_result(unbuffered)
        self._result = None
        result = Result(self)
        result.read()
        self._result = result
        if result.server_status is not None:
            self.server_status = result.server_status
        return result.affected_rows
