// The dialect of Codex: `tools` and `ALL_TOOLS`, plain objects that a cell may change.
(function (host, kit) {
  "use strict";

  const { codex } = kit;

  function defineTools(globals) {
    codex.becomeLazily(globals, "tools", () => {
      const tools = {};
      const names = host.toolNames();
      for (let i = 0; i < names.length; i++) tools[names[i]] = host.toolFunction(i, names[i]);
      return tools;
    });
    codex.becomeLazily(globals, "ALL_TOOLS", () => host.toolsJson());
  }

  defineTools(codex.globals);
  codex.forgetTools = function forgetTools() {
    defineTools(globalThis);
  };
});
