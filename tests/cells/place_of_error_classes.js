// An error of a class without a constructor is where it was made.
class QuotaExceeded extends Error { name = "QuotaExceeded"; }
class Derived extends QuotaExceeded {}
const make = () => new Derived("full");
text(make().stack.trim());
class Explicit extends Error {
  constructor(message) {
    super(message);
  }
}
text(new Explicit("e").stack.trim());
throw new (class extends Error {})("unnamed");
