"""Grouping rules: kept, numbered, and never lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spanglass_server.issues.model import RuleRecord
from spanglass_server.issues.ports import UnknownRuleError
from spanglass_server.issues.sqlite.rows import is_storable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.issues.sqlite.transaction import Transaction

_NEXT_EPOCH = "UPDATE facts SET value = value + 1 WHERE name = 'rule_epoch'"


def add(change: Transaction, body: Mapping[str, Any], actor: str) -> RuleRecord:
    """See ``IssueStore.add_rule``."""
    rule_id = change.next_number("rules")
    text = json.dumps(body, ensure_ascii=False)
    sql = "INSERT INTO rules (id, body, created_ns, actor) VALUES (?, ?, ?, ?)"
    change.write(sql, rule_id, text, change.now_ns, actor)
    change.write(_NEXT_EPOCH)
    return RuleRecord(rule_id, json.loads(text), change.now_ns, actor)


def delete(change: Transaction, rule_id: int, actor: str) -> None:
    """See ``IssueStore.delete_rule``."""
    sql = "SELECT 1 FROM rules WHERE id = ? AND deleted_ns IS NULL"
    if not is_storable(rule_id) or change.row(sql, rule_id) is None:
        raise UnknownRuleError(f"there is no grouping rule {rule_id}: the list of rules has their ids")
    change.write("UPDATE rules SET deleted_ns = ?, deleted_by = ? WHERE id = ?", change.now_ns, actor, rule_id)
    change.write(_NEXT_EPOCH)
