"""Sphinx configuration."""

import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[2])]

project = 'Nova'
extensions = ['sphinx.ext.autodoc', 'compute_api']
master_doc = 'index'
exclude_patterns: list[str] = []
html_theme = 'alabaster'
html_theme_options = {'description': 'An OpenStack compute control plane'}
nitpicky = False
