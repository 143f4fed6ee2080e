console.log("%s is %d, %i or %f: %j %o %O%c 100%% %x", "it", "42", 4.9, "1.5", { a: 1 }, [1], {}, "color: red", "rest");
console.log("%s %s", "one");
console.log("100%");
console.log("a", "%s", "b");
console.log();
console.log("%d %s", 5n, Symbol("s"));
