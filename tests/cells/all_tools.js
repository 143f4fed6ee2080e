text(ALL_TOOLS.map((t) => t.name)); text(Object.isFrozen(ALL_TOOLS) && Object.isFrozen(ALL_TOOLS[0])); text(ALL_TOOLS[0]);
