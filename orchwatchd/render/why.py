"""The answers of `why` as people read them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from orchwatchd.models.injection import Attribution, Certainty
from orchwatchd.models.why import WhyPackage, WhyRun
from orchwatchd.render.makers import aspect_name, maker
from orchwatchd.render.terminal import seconds

MOST = 8


def package_report(why: WhyPackage) -> Iterator[Text]:
    """One package: whether it is instrumented and by what, then why it was compiled."""
    word = {True: "instrumented", False: "not instrumented", None: "not known to be instrumented"}[
        why.instrumented
    ]
    if why.state == "absent":
        word = "not part of the build"
    style = {True: "green", False: "", None: "yellow"}[why.instrumented]
    yield Text.assemble((why.package, "bold"), f" in #{why.run}: ", (word, style))
    for reason in why.reasons:
        yield Text(f"  {reason.text}")
        if reason.code in {"no-match", "callers", "excluded"}:
            for name in reason.names[:MOST]:
                yield Text(f"      {aspect_name(name)}", style="dim")
            if len(reason.names) > MOST:
                yield Text(f"      … {len(reason.names) - MOST} more (--json)", style="dim")
    for by in why.by:
        found = maker(Attribution(by.integration, by.aspect, Certainty(by.certainty)))
        places = f": {', '.join(by.declarations[:MOST])}" if by.declarations else ""
        yield Text(f"    {by.injections} {found}{places}")
    yield Text()
    yield from _compiled(why)


def _compiled(why: WhyPackage) -> Iterator[Text]:
    compiled = why.compiled
    word = {True: "compiled", False: "not compiled", None: "not known to be compiled"}[compiled.compiled]
    against = f" (against #{compiled.against})" if compiled.against is not None else ""
    yield Text(f"{word} in #{why.run}{against}", style="bold")
    for reason in compiled.reasons:
        yield Text(f"  {reason.text}")


def run_report(why: WhyRun) -> Iterator[Text]:
    """A whole run: what had to be compiled and why, and where its time went."""
    yield Text(_sentence(why), style="bold")
    if why.key_proof:
        yield Text(f"  {why.key_proof}")
    for reason in why.reasons[:MOST]:
        yield Text(f"  {reason.text}")
    if len(why.reasons) > MOST:
        yield Text(f"  … {len(why.reasons) - MOST} more (--json)", style="dim")
    if why.outputs_unknown:
        yield Text(f"  of {why.outputs_unknown} outputs it is not known whether they differ", style="yellow")
    yield Text()
    yield Text(
        f"took {seconds(why.wall)}; the commands of its root build computed {seconds(why.cpu)}", style="bold"
    )
    for one in why.waited:
        brought = f"; injected code brought it {', '.join(one.imports[:3])}" if one.imports else ""
        more = f" and {len(one.imports) - 3} more" if len(one.imports) > 3 else ""
        yield Text(f"  {one.package} took {seconds(one.wall)} and computed {seconds(one.cpu)}{brought}{more}")
    if why.child_builds:
        total = sum(one.compiled for one in why.child_builds)
        builds = f"{len(why.child_builds)} child build{'s' * (len(why.child_builds) != 1)} of Orchestrion"
        yield Text(
            f"  {builds} compiled {total} packages for injected code; what it stands in waits for them"
        )


def _sentence(why: WhyRun) -> str:
    compiled = "an unknown number" if why.compiled is None else str(why.compiled)
    if why.against is None:
        return f"#{why.run}: {compiled} compiled"
    key = "key changed: " if why.key_changed else ""
    return (
        f"#{why.run} against #{why.against}: {key}{compiled} compiled; of {why.common} packages that both have"
        f" {why.new_actions} had new inputs, {why.outputs_changed} outputs and {why.texts_changed} woven texts differ"
    )
