"""What a request says of who asks."""

import pytest

from nova.common import problem
from nova.common.microversion import V
from nova.context import RequestContext
from nova.rest import request


def of(context):
    return request.Request(context=context, version=V('2.1'), operation=None, links=None, path='/',
                           enforcer=None)


def test_who_has_a_project_is_known_by_it():
    asked = of(RequestContext(user_id='u', project_id='p'))
    assert (asked.project_id, asked.user_id) == ('p', 'u')


@pytest.mark.parametrize('name', ['project_id', 'user_id'])
def test_a_token_of_nobody_or_of_no_project_is_refused_where_it_matters(name):
    asked = of(RequestContext(user_id=None, project_id=None))
    with pytest.raises(problem.Forbidden, match=name.removesuffix('_id')):
        getattr(asked, name)
