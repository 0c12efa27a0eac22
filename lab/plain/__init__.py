"""The lab line by line, for screen readers, logs and terminals that only print: the other seat of a `Stage`.

Whatever is said is a `Line`, which only `console` wraps and writes. `pages`, `narrator`, `changes`, `hints` and
`asking` make lines and are pure; `seat` is the loop that hears what is typed and what happens.
"""
