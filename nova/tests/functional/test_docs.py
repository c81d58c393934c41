"""The page that shows the API: all of it comes from the cloud itself."""

import re

import httpx


def test_the_page(cloud):
    base = cloud.deployment.url('compute')
    page = httpx.get(f'{base}/docs')
    assert page.status_code == 200 and page.headers['Content-Type'].startswith('text/html')
    assert not re.search(r'(https?:)?//', page.text)
    assert "default-src 'self'" in page.headers['Content-Security-Policy']
    script, = re.findall(r'src="([^"]+)"', page.text)
    found = httpx.get(base + script)
    assert found.status_code == 200 and 'Redoc' in found.text and 'cdn.' not in found.text
    assert int(found.headers['Content-Length']) == len(found.content)
    document = httpx.get(f'{base}/openapi.json?version=2.53').json()
    assert document['info']['version'] == '2.53'


def test_nothing_else_is_given_away(cloud):
    base = cloud.deployment.url('compute')
    for path in ('/docs/../etc/passwd', '/docs/index.html', '/docs/redoc.standalone.js.map'):
        assert httpx.get(base + path).status_code in (300, 404)
    assert httpx.post(f'{base}/docs').status_code != 200
