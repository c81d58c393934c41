"""The page of features says what the tests say."""

from nova.tests.virt import features


def test_every_feature_names_tests_that_there_are():
    named = {test for feature in features.FEATURES for test in feature.tests}
    assert named <= features.known(), named - features.known()


def test_the_page_is_made_of_them():
    assert features.PAGE.read_text(encoding='utf-8') == features.page()


def test_states():
    assert features.state(features.Feature('x')) == 'missing'
    assert features.state(features.Feature('x', ('test_libvirt_xml.test_domain',))) == 'experimental'
    assert features.state(features.Feature('x', ('test_protocol.test_events',))) == 'mature'
