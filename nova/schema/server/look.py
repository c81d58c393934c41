"""What views of servers need beside the servers."""

import datetime
from collections.abc import Mapping
from typing import Protocol

from nova.common.jsonutil import JsonObject
from nova.objects.instance import Instance
from nova.rest import urls


class Look(Protocol):
    """Passed to the getters of this package; `nova.api.server_look` has it for a page of servers."""

    links: urls.Links
    is_admin: bool
    shows_extra_specs: bool
    faults: Mapping[str, JsonObject]
    """The last failure of each server that has one, by uuid."""
    password: str | None
    """The administrator's, where the answer is to tell it."""

    def time(self, when: datetime.datetime | str) -> str:
        """As the API writes times."""

    def zone(self, server: Instance) -> str:
        """The availability zone of its host, or that which was asked for."""
