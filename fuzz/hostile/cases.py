"""All cases, by kind."""

from case import Case
import calls
import disk
import nested
import queries
import text

CASES: list[Case] = nested.CASES + queries.CASES + calls.CASES + text.CASES + disk.CASES
