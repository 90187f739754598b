"""The vocabulary: plain frozen dataclasses that import nothing outside the standard library."""
