"""User data."""

import base64

import pytest

from nova.common import problem
from nova.domain import userdata


def test_line_breaks_are_allowed():
    text = base64.encodebytes(b'#!/bin/sh\n' * 30).decode()
    userdata.check(text)
    assert userdata.decode(text) == b'#!/bin/sh\n' * 30


@pytest.mark.parametrize('text', ['###', 'YQ', 'A' * 65536])
def test_what_no_guest_could_read_is_refused(text):
    with pytest.raises(problem.BadRequest):
        userdata.check(text)
