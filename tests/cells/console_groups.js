console.group("outer");
console.log("one\ntwo");
console.groupCollapsed();
console.warn("deep");
console.groupEnd();
console.groupEnd();
console.groupEnd();
console.info("out");
