"""Two runs compared and explained: pure functions of what the history holds.

`comparison.compare` says what differs in the instrumentation, `causes.causes` what was in force that differs,
`document.to_jsonable` both as the contract's JSON. Whoever asks one of them imports that module: a command starts in a
blink only without the others.
"""
