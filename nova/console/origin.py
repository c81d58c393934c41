"""Whether a page may open a console: one of another site might do so with its visitor's token."""

from collections.abc import Collection
from urllib import parse


def allowed(origin: str | None, host: str | None, others: Collection[str]) -> bool:
    """
    Args:
        origin: of the page, as the browser says it; programs that are no browser say none.
        host: what the request was sent to.
        others: hosts whose pages may, besides the proxy's own.
    """
    if origin is None:
        return True
    page = parse.urlsplit(origin)
    if not page.hostname or page.scheme not in ('http', 'https', 'ws', 'wss'):
        return False
    mine = parse.urlsplit(f'//{host or ""}').hostname
    return page.hostname == mine or page.hostname in others


def token_of(path: str) -> str | None:
    """The token in the address of a websocket: ``?token=``, or noVNC's ``?path=?token=``."""
    said = parse.parse_qs(parse.urlsplit(path).query)
    if 'token' in said:
        return said['token'][-1]
    inner = parse.parse_qs(said['path'][-1].lstrip('?')) if 'path' in said else {}
    return inner['token'][-1] if 'token' in inner else None
