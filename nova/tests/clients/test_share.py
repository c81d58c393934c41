"""Share client: the same promises by the fake and over the sandbox's Manila."""

from typing import Any

import pytest

from nova import errors
from nova.common import uuids
from nova.sandbox import share as stand_in
from nova.sandbox import store
from nova.tests.clients.conftest import sandbox_neighbours


@pytest.fixture(params=['NFS', 'CEPHFS'])
def share(request: pytest.FixtureRequest, there: Any) -> Any:
    return there.share(request.param), ('ip', '192.0.2.1') if request.param == 'NFS' else ('cephx', 'nova-1')


def test_show_is_of_the_user(there: Any) -> None:
    ident = there.share('NFS')
    shown = there.clients.share.show(there.user, ident)
    assert (shown['id'], shown['status'], shown['share_proto']) == (ident, 'available', 'NFS')
    assert shown['export_location'].endswith(ident)
    assert there.clients.share.show(None, ident)['id'] == ident
    for who, which in ((there.user, uuids.generate()), (there.stranger, ident), (there.user, '..')):
        with pytest.raises(errors.share.ShareNotFound):
            there.clients.share.show(who, which)


def test_who_is_let_in(there: Any, share: Any) -> None:
    client, (ident, who) = there.clients.share, share
    assert client.access(ident, *who) is None
    for _ in range(2):
        client.allow(ident, *who)
    rule = client.access(ident, *who)
    assert rule['state'] == 'active' and bool(rule['access_key']) == (who[0] == 'cephx')
    for _ in range(2):
        client.deny(ident, *who)
    assert client.access(ident, *who) is None
    for method in (client.access, client.allow):
        with pytest.raises(errors.share.ShareNotFound):
            method(uuids.generate(), *who)
    client.deny(uuids.generate(), *who)


def test_a_share_is_kept_for_each_server(there: Any) -> None:
    client, ident, servers = there.clients.share, there.share('NFS'), [uuids.generate() for _ in range(2)]
    for server in servers:
        for _ in range(2):
            client.hold(ident, server)
    client.release(ident, servers[0])
    assert not there.can_delete_share(ident)
    for _ in range(2):
        client.release(ident, servers[1])
    assert there.can_delete_share(ident)
    with pytest.raises(errors.share.ShareNotFound):
        client.hold(uuids.generate(), servers[0])


def test_a_rule_that_is_refused(there: Any) -> None:
    """A kind of name that the share's protocol does not know."""
    with pytest.raises(errors.share.ShareRefused):
        there.clients.share.allow(there.share('NFS'), 'cephx', 'nova-1')


def test_a_rule_on_its_way_out_is_waited_for(sandbox: Any) -> None:
    there = sandbox_neighbours(sandbox)
    ident, who = there.share('NFS'), ('ip', '192.0.2.1')
    there.clients.share.allow(ident, *who)

    def leave(rows: store.Rows) -> None:
        rule, = rows.list(stand_in.RULE, parent=ident)
        rows.update(stand_in.RULE, {**rule, 'state': 'denying'})
    sandbox.sandbox.store.write(leave)
    there.clients.share.deny(ident, *who)
    with pytest.raises(errors.share.ShareServiceAway):
        there.clients.share.allow(ident, *who)
