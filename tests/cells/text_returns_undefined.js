text(text('a') === undefined);
