for (const init of [{ q: "a b", n: 1 }, [["x", "1"], ["x", "2"]], new Map([["m", "v"]]), new URLSearchParams("c=d"), "e=f", undefined, null, 5])
  text(String(new URLSearchParams(init)));
for (const wrong of [[["one"]], [1], { [Symbol.iterator]: 1 }])
  try { new URLSearchParams(wrong); } catch (error) { text(String(error)); }
const params = new URLSearchParams();
for (const method of ["append", "get", "set"])
  try { params[method](); } catch (error) { text(String(error)); }
try { params.forEach(1); } catch (error) { text(String(error)); }
