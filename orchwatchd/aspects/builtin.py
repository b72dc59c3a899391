"""The aspects that Orchestrion has compiled in; they come with the import of its own package."""

from __future__ import annotations

from orchwatchd.models.aspect import (
    BUILT_IN_FILE,
    BUILT_IN_PACKAGE,
    Advice,
    Aspect,
    AspectKey,
    JoinPoint,
    Template,
)

_RUNTIME = BUILT_IN_PACKAGE + "/runtime/built"


def _built_in(index: int, name: str, value_type: str, template: str, directives: tuple[str, ...]) -> Aspect:
    places = (
        JoinPoint("declaration-of", f"{_RUNTIME}.{name}"),
        *(JoinPoint("directive", directive) for directive in directives),
    )
    return Aspect(
        key=AspectKey(BUILT_IN_PACKAGE, BUILT_IN_FILE, index, f"built.{name}"),
        join_point=JoinPoint(
            "all-of",
            children=(JoinPoint("value-declaration", value_type), JoinPoint("one-of", children=places)),
        ),
        advice=(Advice("assign-value", templates=(Template(template),)),),
        tracer_internal=True,
    )


BUILT_IN_ASPECTS = (
    _built_in(0, "WithOrchestrion", "bool", "true", ("orchestrion:enabled", "dd:orchestrion-enabled")),
    _built_in(1, "WithOrchestrionVersion", "string", '{{Version | printf "%q"}}', ("orchestrion:version",)),
)
