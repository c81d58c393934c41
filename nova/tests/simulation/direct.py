"""A connection that sends what is sent often without the library, which takes longer than SQLite does.

A statement that is made once (`nova.objects.statements`) is recognized when it comes the second time. From
then on its text, where its parameters go and how its columns are read are known. Everything else, and
whatever fails, goes the library's way.
"""

import re
import sqlite3
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData

Process = Callable[[Any], Any] | None
_IN = re.compile(r'\(__\[POSTCOMPILE_(\w+)\]\)')
"""In the text of a statement: where the values of an IN go."""


class Changed:
    """What an UPDATE, a DELETE or an INSERT did.

    Attributes:
        inserted_primary_key: of the row that was inserted.
    """

    __slots__ = ('rowcount', 'inserted_primary_key', '_sent')

    def __init__(self, rowcount: int, key: tuple[Any, ...] = (), sent: Mapping[str, Any] | None = None) -> None:
        self.rowcount, self.inserted_primary_key, self._sent = rowcount, key, sent

    def last_inserted_params(self) -> Mapping[str, Any]:
        return self._sent or {}


class Plan:
    """How a statement is sent with parameters of these names."""

    def __init__(self, statement: Any, dialect: sa.Dialect, names: tuple[str, ...], columns: list[str]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names) or None)
        self._text = str(compiled)
        self._several = {name for name in _IN.findall(self._text)}
        made = {column.key: column.onupdate.arg for column in compiled.update_prefetch}
        made |= {column.key: column.default.arg for column in compiled.insert_prefetch}
        self._key = self._key_of(statement) if isinstance(statement, sa.Insert) else None
        known = isinstance(statement, sa.Select) or set(names) <= {bind.key for bind in compiled.binds.values()}
        self.usable = known and '[POSTCOMPILE' not in _IN.sub('', self._text) and not any(
            isinstance(arg, sa.ClauseElement) for arg in made.values())
        self._binds: list[tuple[str, str | None, Any, Any, Process]] = []
        for name in compiled.positiontup or ():
            bind = compiled.binds[name]
            process = bind.type.dialect_impl(dialect).bind_processor(dialect)
            given = bind.key in names
            value = None if given or name in made else bind.effective_value
            self._binds.append((name, bind.key if given else None, made.get(name), value, process))
        self._made = SimpleResultMetaData(columns) if columns else None
        self._reads: list[Process] = []
        if columns and not isinstance(statement, sa.Select):
            self.usable = False
        elif columns:
            self._reads = [column.type.dialect_impl(dialect).result_processor(dialect, None)
                           for column in statement.selected_columns]
            self.usable = self.usable and len(self._reads) == len(columns)
        self._read_any = any(self._reads)

    @staticmethod
    def _key_of(statement: sa.Insert) -> list[tuple[str, bool]]:
        """The columns of the primary key, and which the database counts by itself."""
        table = statement.table
        assert isinstance(table, sa.Table)
        return [(column.key, column is table.autoincrement_column) for column in table.primary_key]

    def send(self, driver: sqlite3.Connection, parameters: Mapping[str, Any]) -> Any:
        """Have it done.

        Raises:
            sqlite3.Error: it cannot be done, and nothing was.
        """
        text, values, sent = self._text, [], dict(parameters) if self._key is not None else None
        for name, key, make, value, process in self._binds:
            if key is not None:
                value = parameters[key]
            elif make is not None:
                value = make(None) if callable(make) else make
                if sent is not None:
                    sent[name] = value
            if name in self._several:
                text = text.replace(f'(__[POSTCOMPILE_{name}])', f'({", ".join("?" * len(value))})')
                values += value if process is None else map(process, value)
            else:
                values.append(value if process is None else process(value))
        cursor = driver.execute(text, values)
        if sent is not None and self._key is not None:
            key_values = tuple([cursor.lastrowid if counted and sent.get(column) is None else sent.get(column)
                                for column, counted in self._key])
            return Changed(cursor.rowcount, key_values, sent)
        return self._result(cursor)

    def _result(self, cursor: sqlite3.Cursor) -> Any:
        if self._made is None:
            return Changed(cursor.rowcount)
        rows: Any = cursor.fetchall()
        return IteratorResult(self._made, self._read(rows) if self._read_any else iter(rows))

    def _read(self, rows: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        reads = self._reads
        for row in rows:
            yield tuple([value if read is None else read(value)
                         for read, value in zip(reads, row, strict=True)])


class Connection:
    """See the module; in everything else the library's connection.

    Attributes:
        sent: how many statements went without the library.
    """

    def __init__(self, real: sa.Connection, driver: sqlite3.Connection) -> None:
        self._real, self._driver = real, driver
        self._plans: weakref.WeakKeyDictionary[Any, dict[tuple[str, ...], Plan | None]] = (
            weakref.WeakKeyDictionary())
        self.sent = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, statement: Any, parameters: Any = None, **options: Any) -> Any:
        if options or type(parameters) not in (dict, type(None)) or not isinstance(
                statement, (sa.Select, sa.Update, sa.Delete, sa.Insert)):
            return self._real.execute(statement, parameters, **options)
        known = self._plans.get(statement)
        if known is None:
            self._plans[statement] = {}
            return self._real.execute(statement, parameters)
        names = tuple(parameters) if parameters else ()
        if names not in known:
            result = self._real.execute(statement, parameters)
            columns = list(result.keys()) if result.returns_rows else []
            plan = Plan(statement, self._real.dialect, names, columns)
            known[names] = plan if plan.usable else None
            return result
        found = known[names]
        if found is None:
            return self._real.execute(statement, parameters)
        try:
            result = found.send(self._driver, parameters or {})
        except sqlite3.Error:  # it has had no effect; the library says what is wrong as it always does
            return self._real.execute(statement, parameters)
        self.sent += 1
        return result
