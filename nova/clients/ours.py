"""Our own credentials at a neighbour, with what keystoneauth would work out anew for each request.

The library reads the time at which a token ends several times a request, and copies the whole catalog to find
one endpoint in it, which in a large cloud is most of what a request costs.
"""

from typing import Any

from keystoneauth1 import access, plugin
from keystoneauth1 import session as ks_session

from nova.common import clock

FRESH = 1.0
"""Seconds after which the library is asked again whether a token lasts; it renews it two minutes early."""

Asked = tuple[tuple[str, str], ...]


class Ours(plugin.BaseAuthPlugin):
    """Says what another plugin says, and remembers it while that has the same token."""

    def __init__(self, base: plugin.BaseAuthPlugin) -> None:
        super().__init__()
        self._base = base
        self._headers: tuple[access.AccessInfo, float, dict[str, str] | None] | None = None
        self._endpoints: tuple[access.AccessInfo | None, dict[Asked, str]] = None, {}

    @property
    def _access(self) -> access.AccessInfo | None:
        """What stands for the token that the plugin has, if it has any."""
        return getattr(self._base, 'auth_ref', None)

    def get_headers(self, session: ks_session.Session) -> dict[str, str] | None:
        """The headers of a request with our token."""
        now, kept, has = clock.monotonic(), self._headers, self._access
        if kept is not None and has is kept[0] and now - kept[1] < FRESH:
            return None if kept[2] is None else dict(kept[2])
        found = self._base.get_headers(session)
        if has is not None and has is self._access:
            self._headers = has, now, None if found is None else dict(found)
        return found

    def get_token(self, session: ks_session.Session, **kwargs: object) -> str | None:
        """Our token."""
        return (self.get_headers(session) or {}).get(plugin.IDENTITY_AUTH_HEADER_NAME) or (
            self._base.get_token(session))

    def get_endpoint(self, session: ks_session.Session, **kwargs: object) -> str | None:
        """Where a service is, as the catalog of our token says.

        What has to be looked for behind that address, the library remembers itself.
        """
        has, kept = self._access, self._endpoints
        if has is None or 'min_version' in kwargs:
            return self._base.get_endpoint(session, **kwargs)
        if kept[0] is not has:
            kept = self._endpoints = has, {}
        key = tuple(sorted((name, repr(value)) for name, value in kwargs.items()))
        if key not in kept[1]:
            found = self._base.get_endpoint(session, **kwargs)
            if found is None or has is not self._access:
                return found
            kept[1][key] = found
        return kept[1][key]

    def get_endpoint_data(  # type: ignore[explicit-any]
            self, session: ks_session.Session, **kwargs: Any) -> Any:
        return self._base.get_endpoint_data(session, **kwargs)

    def get_connection_params(  # type: ignore[explicit-any]
            self, session: ks_session.Session, **kwargs: Any) -> Any:
        return self._base.get_connection_params(session)

    def get_project_id(self, session: ks_session.Session, **kwargs: object) -> str | None:
        has = self._access
        return has.project_id if has is not None else self._base.get_project_id(session)

    def get_user_id(self, session: ks_session.Session, **kwargs: object) -> str | None:
        return self._base.get_user_id(session)

    def invalidate(self) -> bool:
        return self._base.invalidate()
