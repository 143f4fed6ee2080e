// `exit()` and `yield_control()`.
(function (host, kit) {
  "use strict";

  const { emit } = host;
  const { YIELD } = kit.effects;

  kit.define("exit", function exit() {
    host.exit();
  });

  kit.define("yield_control", function yield_control() {
    emit(YIELD, 0, 0);
  });
});
