"""What a design costs before it is built, and the search of the best one that fits a board."""

__all__: list[str] = []
