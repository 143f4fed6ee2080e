const order = [];
await Promise.all([tools.later('a').then((v) => order.push(v)), tools.echo('b').then((v) => order.push(v))]);
text(order);
