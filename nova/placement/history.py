"""Microversions of the Placement API: one line each, the newest last."""

from nova.common.microversion import V

SERVICE = 'placement'

HISTORY: tuple[tuple[str, str], ...] = (
    ('1.0', 'Resource providers, inventories, usages and allocations.'),
    ('1.1', 'Aggregates of a provider.'),
    ('1.2', 'Custom resource classes.'),
    ('1.3', 'Providers can be filtered by member_of.'),
    ('1.4', 'Providers can be filtered by resources.'),
    ('1.5', 'All inventories of a provider can be deleted at once.'),
    ('1.6', 'Traits, and traits of a provider.'),
    ('1.7', 'PUT of a resource class creates or confirms it, and takes no body.'),
    ('1.8', 'Allocation writes must name project_id and user_id.'),
    ('1.9', 'Usages of a project and user.'),
    ('1.10', 'Allocation candidates.'),
    ('1.11', 'Providers link to their allocations.'),
    ('1.12', 'Allocation documents are objects keyed by provider; project and user are shown.'),
    ('1.13', 'POST /allocations writes several consumers at once.'),
    ('1.14', 'Providers form trees: parent, root, and the in_tree filter.'),
    ('1.15', 'Last-Modified and Cache-Control headers.'),
    ('1.16', 'Candidates can be limited.'),
    ('1.17', 'Candidates can require traits; summaries show traits.'),
    ('1.18', 'Providers can be filtered by required traits.'),
    ('1.19', 'Aggregates are read and written with a generation.'),
    ('1.20', 'Creating a provider answers with the provider.'),
    ('1.21', 'Candidates can be filtered by member_of.'),
    ('1.22', 'Traits can be forbidden with "!".'),
    ('1.23', 'Errors carry a code.'),
    ('1.24', 'member_of can be repeated.'),
    ('1.25', 'Numbered request groups and group_policy.'),
    ('1.26', 'An inventory may be reserved entirely.'),
    ('1.27', 'Summaries list every resource class of a provider.'),
    ('1.28', 'Consumers have generations; PUT may empty a consumer.'),
    ('1.29', 'Candidates span nested providers; summaries show parent and root.'),
    ('1.30', 'POST /reshaper.'),
    ('1.31', 'Candidates can be confined with in_tree.'),
    ('1.32', 'Aggregates can be forbidden.'),
    ('1.33', 'Request groups may have any name.'),
    ('1.34', 'Candidates show mappings of groups to providers; writes tolerate them.'),
    ('1.35', 'Candidates can require traits of the root provider.'),
    ('1.36', 'same_subtree, and request groups without resources.'),
    ('1.37', 'Providers can be moved to another parent, or to none.'),
    ('1.38', 'Consumers have types.'),
    ('1.39', 'Any-of traits, and required can be repeated.'),
)

VERSIONS: tuple[V, ...] = tuple(V(text) for text, _ in HISTORY)
MIN, MAX = VERSIONS[0], VERSIONS[-1]
