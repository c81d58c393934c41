"""Sphinx configuration."""

project = 'Nova'
extensions = ['sphinx.ext.autodoc']
master_doc = 'index'
exclude_patterns: list[str] = []
html_theme = 'alabaster'
html_theme_options = {'description': 'An OpenStack compute control plane'}
nitpicky = False
