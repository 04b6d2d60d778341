"""What a scenario is: a name, a mode, a function, and the figures it checks against its bars."""

from .host import BUSY

SCENARIOS = []


class Scenario:
    def __init__(self, name, mode, function):
        self.name, self.mode, self.function = name, mode, function
        self.about = (function.__doc__ or "").strip().splitlines()[0]


def scenario(name, mode="srpha"):
    """Register a function(pair, check); mode "baseline" runs it without srpha."""
    def register(function):
        SCENARIOS.append(Scenario(name, mode, function))
        return function
    return register


class Check:
    """Collects figures and what failed; never stops at the first failure."""

    def __init__(self):
        self.figures = {}
        self.texts = []
        self.failures = []
        self.noisy = []  # those of the failures that fell into a time when others used the host
        self.observations = []

    def part(self, name, other, text):
        """Take over what another Check found out about a part of the scenario, as one text."""
        self.figures[name] = other.figures
        self.texts.append(f"{name} {text}")
        for failure in other.failures:
            self.failures.append(f"{name}: {failure}")
            if failure in other.noisy:
                self.noisy.append(self.failures[-1])
        self.observations += other.observations

    def disturbed(self):
        """Nothing failed but bars of time, each while the host was busy with other work."""
        return bool(self.failures) and self.failures == self.noisy

    def _note(self, good, text):
        self.texts.append(text)
        if not good:
            self.failures.append(text)
        return good

    def figure(self, name, value, unit=""):
        """A figure without a bar."""
        self.figures[name] = value
        self.texts.append(f"{name} {_text(value)}{unit}")

    def at_most(self, name, value, bar, unit="s"):
        self.figures[name] = value
        sign = "≤" if value is not None and value <= bar else "NOT ≤"
        return self._note(value is not None and value <= bar,
                          f"{name} {_text(value)}{unit} ({sign} {bar:g}{unit})")

    def span(self, name, seen, begin, seconds, bar):
        """at_most() for a span of time from `begin` on the initiator's clock."""
        if self.at_most(name, seconds, bar):
            return
        others = seen.others(begin, seconds)
        self.figures[f"{name}: CPUs that others used"] = others
        if others is not None:
            self.failures[-1] += f"; meanwhile others used {others:.2f} CPUs of the host"
        if others is not None and others >= BUSY:
            self.noisy.append(self.failures[-1])

    def equal(self, name, value, expected):
        self.figures[name] = value
        if value == expected:
            return self._note(True, f"{name} {_text(value)}")
        return self._note(False, f"{name} {_text(value)}, NOT {_text(expected)}")

    def true(self, text, value):
        return self._note(bool(value), text if value else f"NOT {text}")

    def data(self, seen):
        """What every observation must show: no error, no corruption, all finished, verified."""
        self.observations.append(seen)
        self.equal("I/O errors", seen.errors, 0)
        self.equal("corrupt", seen.corrupt, 0)
        self.equal("unfinished", seen.unfinished, 0)
        self.figures["verified"] = seen.verified
        if not self._note(seen.verified > 0, f"verified {seen.verified}"):
            self.figures["first_errors"] = seen.first_errors
        if seen.first_errors:
            self.texts.append(f"first: {seen.first_errors[0]}")


def _text(value):
    if isinstance(value, float):
        return f"{value:.3f}" if value < 10 else f"{value:.1f}"
    return "never" if value is None else str(value)
