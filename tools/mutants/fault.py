"""What a fault is, and how it is planted in a copy of the package."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A small change that makes the library wrong.

    Attributes:
        name: What is wrong.
        file: Where, below bigmodel_lib/.
        old: Text that stands there exactly once.
        new: What stands there instead.
        tests: The tests that should notice, below tests/.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def planted(self, source: str) -> str:
        """The source with the fault in it.

        Raises:
            ValueError: If `old` does not stand there exactly once: the code has moved on, and the
                fault must follow.
        """
        if (found := source.count(self.old)) != 1:
            raise ValueError(f"{self.name}: expected once in {self.file}, found {found} times")
        return source.replace(self.old, self.new)


def fault(name: str, file: str, old: str, new: str, *tests: str) -> Fault:
    """A `Fault`, its tests written one after the other."""
    return Fault(name, file, old, new, tests)
