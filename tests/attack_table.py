#!/usr/bin/env python3
"""attack_table.py [--mdoc] TEST.c... - names and exact messages of the attack tables in unit tests.

Prints NAME<TAB>MESSAGE a line; with --mdoc the items of a list for man/mfgpkg-package.7. A line
that has a name and no message is an error.
"""
import re, sys

STRING = r'"(?:[^"\\]|\\.)*"'
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "'": "'"}


def text_of(source, macros):
    """Adjacent C literals and the macros between them, as one string."""
    out = ""
    for token in re.findall(STRING + r"|\w+", source):
        literal = token if token[0] == '"' else macros[token]
        out += re.sub(r"\\(.)", lambda m: ESCAPES[m.group(1)], literal[1:-1])
    return out


def table(path):
    c = open(path).read()
    macros = dict(re.findall(r"#define\s+(\w+)\s+(%s)" % STRING, c))
    rows = re.split(r"\{ \.name = (?=\")", c)[1:]
    for row in rows:
        name = re.match(STRING, row).group(0)[1:-1]
        m = re.search(r"\.message =\s*((?:(?:%s|[A-Z]\w*)\s*)+)" % STRING, row)
        if not m:
            sys.exit(f"{path}: no message for {name}")
        yield name, text_of(m.group(1), macros)


def mdoc(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return ("\\&" if text[0] in ".'" else "") + text


def main():
    args = sys.argv[1:]
    as_mdoc = args[:1] == ["--mdoc"]
    for path in args[as_mdoc:]:
        for name, message in table(path):
            print(f".It {name}\n{mdoc(message)}" if as_mdoc else f"{name}\t{message}")


main()
