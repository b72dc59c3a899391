"""From the aspects that can have made an injection to what may be said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from orchwatchd.compare.attribution.packages import Sure
from orchwatchd.models.aspect import Aspect
from orchwatchd.models.injection import Attribution, Certainty


@dataclass(frozen=True, slots=True)
class Candidate:
    """An aspect that can have made an injection: how sure its join point matches there, whether its template explains
    every token (`whole`), and which aspects wove within.
    """

    aspect: Aspect
    sure: Sure
    whole: bool = True
    also: tuple[str, ...] = ()

    @property
    def strength(self) -> tuple[Sure, bool]:
        return self.sure, self.whole


def decide(
    candidates: Iterable[Candidate], *, complete: bool, possible: Callable[[], Sequence[Aspect]] = tuple
) -> Attribution:
    """The attribution: `exact` only for the one aspect that can be and certainly does match; two that are equally
    strong are never told apart by a guess. `complete` says that the whole configuration is known, `possible` gives
    the aspects that match there with an advice of that kind, when the template of none explains the injection.
    """
    best: dict[str, Candidate] = {}
    for candidate in candidates:
        key = str(candidate.aspect.key)
        if candidate.sure is not Sure.NO and (key not in best or best[key].strength < candidate.strength):
            best[key] = candidate
    if not best:
        keys = tuple(str(aspect.key) for aspect in possible())
        return Attribution(candidates=keys, unexplained=complete and not keys)
    ranked = sorted(best, key=lambda key: best[key].strength, reverse=True)
    packages = {best[key].aspect.key.package for key in ranked}
    integration = packages.pop() if len(packages) == 1 else None
    first = best[ranked[0]]
    strong = first.sure is Sure.YES and first.whole
    if len(ranked) == 1:
        certainty = Certainty.EXACT if strong and complete else Certainty.LIKELY
        return Attribution(integration, ranked[0], certainty, also=first.also)
    if strong and best[ranked[1]].strength < first.strength:
        return Attribution(
            first.aspect.key.package, ranked[0], Certainty.LIKELY, candidates=tuple(ranked), also=first.also
        )
    return Attribution(integration, None, Certainty.AMBIGUOUS, candidates=tuple(ranked))
