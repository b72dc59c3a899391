"""The commands: each parses its words, opens what it needs, makes one call and turns the outcome into an exit
code.
"""
