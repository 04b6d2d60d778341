# SPDX-License-Identifier: GPL-2.0-or-later
"""What the test cases say: each(), and checks whose failure tells what was there instead."""


class Skip(Exception):
    """Raised by a case that cannot be run here; its text is printed."""


def each(*values):
    """A case that is run once for each value, which is its argument and part of its name."""
    def mark(function):
        function.values = values
        return function
    return mark


def ok(condition, text):
    if not condition:
        raise AssertionError(text)


def eq(got, expected, text=''):
    """Equality; for two sets or lists the difference is shown."""
    if got == expected:
        return
    if isinstance(got, (set, frozenset, list)) and isinstance(expected, (set, frozenset, list)):
        extra = [x for x in got if x not in expected]
        missing = [x for x in expected if x not in got]
        raise AssertionError(f'{text}\n  not expected: {extra[:8]}\n  missing: {missing[:8]}'
                             f'\n  got {len(got)}, expected {len(expected)}')
    raise AssertionError(f'{text}\n  got: {got!r}\n  expected: {expected!r}')


def has(text, part):
    if part not in text:
        raise AssertionError(f'{part!r} is not in:\n{text}')
