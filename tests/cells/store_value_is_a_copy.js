const list = [1];
store("list", list);
list.push(2);
const loaded = load("list");
loaded.push(3);
text([load("list"), loaded, load("never")]);
