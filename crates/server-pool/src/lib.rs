//! Pools of entries: every server contributes some, all servers see the union.
