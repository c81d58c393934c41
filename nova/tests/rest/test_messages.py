"""What is wrong with a document is told in words that need no knowledge of schemas."""

import pytest

from nova.common import jsonschema
from nova.rest import types

ADDRESS = types.either({'type': 'string', 'format': 'ipv4'}, {'type': 'string', 'format': 'ipv6'})
NETWORK = {'type': 'object', 'properties': {'tag': types.TAG, 'fixed_ip': ADDRESS}}


def refusal(kind, value):
    with pytest.raises(jsonschema.Invalid) as caught:
        jsonschema.Validator({'properties': {'it': kind}}).check({'it': value})
    return caught.value.message


@pytest.mark.parametrize('kind, value, told', [
    (types.integer(0), 'abc', 'field/attribute it. Value: abc. "abc" is not an integer of at least 0'),
    (types.integer(1, 9), '12', '"12" is not an integer from 1 to 9'),
    (types.integer(), 'x', '"x" is not an integer'),
    (types.UUID, 'x', '"x" is not a UUID'),
    (types.NAME, ' x', '" x" is not printable text with no blank at either end'),
    (types.TAG, 'a,b', '"a,b" is not free of "," and "/"'),
    (types.DISK_CONFIG, 'x', '"x" is not one of "AUTO", "MANUAL"'),
    (ADDRESS, 'x', '"x" is not an IPv4 address, and "x" is not an IPv6 address'),
])
def test_formats_and_choices_are_spelt_out(kind, value, told):
    assert told in refusal(kind, value)


@pytest.mark.parametrize('value, told', [
    ([{'tag': 'a,b'}], 'field/attribute it/0/tag. Value: a,b. "a,b" is not free of'),
    ('some', 'field/attribute it. Value: some. "some" is not one of "auto", "none"'),
    (5, 'field/attribute it. Value: 5. 5 is not one of "auto", "none"'),
])
def test_of_alternatives_the_one_that_was_meant_is_told(value, told):
    assert told in refusal(types.either(types.array(NETWORK), types.enum('auto', 'none')), value)


def test_a_number_that_is_too_long_is_none():
    told = refusal(types.integer(0), '9' * 5000)
    assert 'is not an integer of at least 0' in told
    assert len(told) < 600


def test_every_format_says_what_it_means():
    for name, kind in jsonschema.FORMATS.items():
        assert kind.means and name not in kind.means.split('"'), name
