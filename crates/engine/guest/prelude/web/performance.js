// `performance`: milliseconds since the cell began. Its clock, too, moves with events only.
(function (host, kit) {
  "use strict";

  const { now, timeOrigin } = host;

  class Performance {
    now() {
      return now();
    }

    get timeOrigin() {
      return timeOrigin();
    }

    toJSON() {
      return { timeOrigin: timeOrigin() };
    }
  }
  kit.webClass(Performance);
  kit.define("performance", new Performance());
});
