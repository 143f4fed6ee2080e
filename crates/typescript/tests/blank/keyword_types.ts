const a = load<string>('x'), b = f<Array<number>>(1);
