"""holdfire: the send gate between marketing and the contact center."""

__version__ = "0.1.0"
