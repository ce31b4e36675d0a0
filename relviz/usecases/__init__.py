"""Use cases: a frozen request in, a result out."""
