"""Reads YAML documents from standard input and writes them as one JSON list. A key that stands twice is an error, which PyYAML lets pass."""

import json
import sys

import yaml


class Strict(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = {key for key in keys if isinstance(key, str) and keys.count(key) > 1}
        # A mapping that was merged may repeat what the one it was merged into says: they have been joined by then.
        if twice and not getattr(node, "merged", False):
            raise yaml.YAMLError(f"{node.start_mark}: twice: {sorted(twice)}")
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node):
        node.merged = getattr(node, "merged", False) or any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value)
        super().flatten_mapping(node)


json.dump([document for document in yaml.load_all(sys.stdin, Strict) if document is not None], sys.stdout)
