"""Execute, validate and lint the chapters.

`python -m tools.notebooks.execute chapters/….ipynb` writes outputs, `pytest -p
tools.notebooks.nbval_plugin --nbval chapters` proves them, `python -m tools.notebooks.lint`
finds what neither of the two notices.
"""
