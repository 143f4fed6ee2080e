text('a'); text(yield_control() === undefined); text('b');
