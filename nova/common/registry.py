"""Names that are declared once."""

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar('T')


class Registry(Generic[T]):
    """A mapping that refuses a second declaration under the same name."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        if self._items.get(name, item) is not item:
            raise ValueError(f'{self._what} {name!r} is declared twice')
        self._items[name] = item
        return item

    def get(self, name: str) -> T | None:
        return self._items.get(name)

    def __getitem__(self, name: str) -> T:
        return self._items[name]

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def values(self) -> list[T]:
        return [self._items[name] for name in self]
