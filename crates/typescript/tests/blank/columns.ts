const é: "😀é" = 1, 名前 /* ü */ : Array<"日本😀"> = 2; text(é);
type 型 = "😀"; text(1); let x: "a 😀" = 1;
let y: {
	a: 1
} = 1;
