let n = 0;
await new Promise((resolve) => { const id = setInterval(() => { text(++n); if (n === 3) { clearInterval(id); resolve(); } }, 10); });
