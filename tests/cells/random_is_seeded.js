text([Math.random(), Math.random()].map((x) => x.toFixed(12)));
