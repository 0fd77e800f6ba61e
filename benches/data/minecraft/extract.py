#!/usr/bin/env python3
"""Makes extract.json from the npm package minecraft-data: see README.md."""

import json
import sys

folder = sys.argv[1]


def read(name):
    with open(f"{folder}/{name}.json", encoding="utf-8") as file:
        return json.load(file)


def texts(prefix, suffix=""):
    keys = (key for key in read("language") if key.startswith(prefix) and key.endswith(suffix))
    return [key.removeprefix(prefix).removesuffix(suffix) for key in keys]


items = read("items")
worn = [item for item in items if "maxDurability" in item]
common = [item for item in items[1:] if "maxDurability" not in item and not item["name"].endswith("_spawn_egg")]
options = [name for name in texts("options.") if "." not in name and name.isidentifier()]
extract = {
    # Name, durability, what can be enchanted on it.
    "worn": [[i["name"], i["maxDurability"], i.get("enchantCategories", [])] for i in worn],
    # Name, most on a stack: every third.
    "common": [[i["name"], i["stackSize"]] for i in common[::3]],
    # Name, highest level, what it is for.
    "enchantments": [[e["name"], e["maxLevel"], e["category"]] for e in read("enchantments")],
    "effects": [e["name"] for e in read("effects")],
    "mobs": [e["name"] for e in read("entities") if e["type"] in ("hostile", "animal", "water_creature")],
    "statistics": texts("stat.minecraft."),
    "advancements": [name.replace(".", "/") for name in texts("advancements.", ".title")],
    "options": options[::2],
}
lines = [f' "{key}": {json.dumps(value, separators=(",", ":"))}' for key, value in extract.items()]
print("{\n" + ",\n".join(lines) + "\n}")
