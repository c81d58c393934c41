"""Images are fetched ahead by the hosts of an aggregate."""

from nova.tests.fixtures.waiting import until


def test_hosts_of_an_aggregate_fetch_an_image(admin, demo, cloud, caplog):
    caplog.set_level('INFO', logger='nova.compute.questions')
    host = next(iter(cloud.deployment.hosts))
    made = admin.call('POST', '/os-aggregates', {'aggregate': {'name': 'fast'}}).json()['aggregate']
    path = f'/os-aggregates/{made["id"]}'
    admin.call('POST', f'{path}/action', {'add_host': {'host': host}})
    try:
        for said in (f'Image {demo.image} is cached', f'Image {demo.image} is cached already'):
            answer = admin.call('POST', f'{path}/images', {'cache': [{'id': demo.image}]})
            assert answer.status_code == 202, answer.text
            until(lambda said=said: said in [record.getMessage() for record in caplog.records])
        assert demo.call('POST', f'{path}/images', {'cache': [{'id': demo.image}]}).status_code == 403
        for wrong in ([], [{'id': 'x'}], [{'id': demo.image}] * 2, None):
            assert admin.call('POST', f'{path}/images', {'cache': wrong}).status_code == 400
        assert admin.call('POST', '/os-aggregates/0/images', {'cache': [{'id': demo.image}]}).status_code == 404
        assert admin.call('POST', f'{path}/images', {'cache': [{'id': demo.image}]},
                          version='2.80').status_code == 404
    finally:
        admin.call('POST', f'{path}/action', {'remove_host': {'host': host}})
        admin.call('DELETE', path)
