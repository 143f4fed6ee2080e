text('before');

await tools.fail();
