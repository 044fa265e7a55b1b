"""The site: Jupyter Book's output made light, accessible and independent of the network."""
