"""Reads a JSON list of policy documents, prints what parliament says of each."""

import json
import sys

import parliament


def findings(document):
    policy = parliament.analyze_policy_string(document, ignore_private_auditors=True)
    for finding in policy.findings:
        finding = parliament.enhance_finding(finding)
        detail = finding.detail or ""
        yield {"Issue": finding.issue, "Title": finding.title, "Detail": str(detail)}


documents = json.load(sys.stdin)
answer = {"Rules": len(parliament.config), "Findings": [list(findings(d)) for d in documents]}
json.dump(answer, sys.stdout)
