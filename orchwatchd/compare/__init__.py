"""Two runs compared and explained: pure functions of what the history holds.

`compare(a, b, common)` says what differs in the instrumentation, `causes(a, b)` what was in force that differs,
`to_jsonable(comparison, causes)` both as the contract's JSON.
"""

from orchwatchd.compare.causes import causes
from orchwatchd.compare.comparison import compare
from orchwatchd.compare.document import to_jsonable

__all__ = ["causes", "compare", "to_jsonable"]
