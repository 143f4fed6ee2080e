// The second number of Math.random is the same whether bytes were drawn before it or not: see random_is_seeded.
Math.random();
crypto.getRandomValues(new Uint8Array(100));
crypto.randomUUID();
text(Math.random());
