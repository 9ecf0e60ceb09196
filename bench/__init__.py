"""Measures holdfire's hot paths against the least that could answer at all; see docs/performance.md."""
