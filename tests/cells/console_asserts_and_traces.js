console.assert(1 === 1, "never");
console.assert(false);
console.assert(false, "%s went wrong", "it");
function inner() {
  console.trace("here", 1);
}
inner();
const { log } = console;
log("without its object");
