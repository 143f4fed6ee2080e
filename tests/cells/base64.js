text([btoa("h\u00e9llo"), atob("aOlsbG8="), atob(" aGk "), btoa(""), atob("")]);
for (const wrong of [() => atob("a"), () => atob("*"), () => btoa("\u20ac"), () => atob(), () => btoa()])
  try { wrong(); } catch (error) { text(`${error.name} ${error.message}`); }
