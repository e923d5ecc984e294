#!/usr/bin/env bash
# Lark's default parser finds keywords inside words: `error order` is read as "error OR der".
#
# Guess:    a word is one token, as with any lexer: [a-z]+ takes all letters, and the keyword "or" is a word of its own.
# Instead:  Lark() without options is the Earley parser with the dynamic lexer, which tries every terminal at every
#           place and has no notion of words. "order" behind another word becomes the keyword and the rest; `disk
#           notready` becomes "disk AND NOT ready", while the `not` of `error not retried` is taken for a word. No error
#           and no warning of ambiguity. The same grammar with parser="lalr", or Earley with lexer="basic", reads words.
# Versions: lark 1.3.1.
# Matters:  a search language with `or`, `not` and words side by side is the first thing one writes with Lark. It works
#           for all examples, and answers another question for some words.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check lark==1.3.1

cat > try.py <<'EOF'
import lark

GRAMMAR = """
start: all ("or" all)*
all: part+
part: "not" WORD -> without
    | WORD       -> word
WORD: /[a-z]+/
%ignore " "
"""


def spell(tree):
    """A query as it was understood."""
    if isinstance(tree, lark.Token):
        return str(tree)
    parts = [spell(child) for child in tree.children]
    return {"start": " OR ", "all": " AND "}.get(tree.data, "").join(parts) if tree.data != "without" else f"NOT {parts[0]}"


parsers = {
    "Lark(grammar)": lark.Lark(GRAMMAR),
    "earley, lexer='basic'": lark.Lark(GRAMMAR, parser="earley", lexer="basic"),
    "lalr": lark.Lark(GRAMMAR, parser="lalr"),
}
right = {
    "error or fatal": ("error OR fatal", "error OR fatal"),
    "error not retried": ("error AND not AND retried", "error AND NOT retried"),
    "error order": ("error OR der", "error AND order"),
    "disk notready": ("disk AND NOT ready", "disk AND notready"),
}
print("lark", lark.__version__)
for query, (split, whole) in right.items():
    understood = {name: spell(parser.parse(query)) for name, parser in parsers.items()}
    print(f"  {query:18} {understood}")
    assert understood["Lark(grammar)"] == split, "behaves differently now"
    assert understood["lalr"] == understood["earley, lexer='basic'"] == whole
EOF
venv/bin/python try.py
echo "As described."
