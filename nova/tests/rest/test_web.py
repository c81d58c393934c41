"""What every application answers when something goes wrong that it did not foresee."""

import falcon.testing
import pytest
from oslo_db import exception as db_exc

from nova.common import web


@pytest.mark.parametrize(('error', 'status'), [
    (db_exc.DBConnectionError('secret'), 503), (KeyError('secret'), 500)])
def test_what_went_wrong_is_told_by_the_status(error, status):
    def render(req, resp, problem):
        web.send(resp, {'message': problem.message}, problem.status)

    def fail(req, resp):
        raise error
    app = web.application(render, [])
    web.route(app, '/', {'GET': fail})
    answer = falcon.testing.TestClient(app).simulate_get('/')
    assert answer.status_code == status
    assert 'secret' not in answer.text
